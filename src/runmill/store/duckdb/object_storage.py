"""Access to object storage for the engine, by the cloud's own environment variables: artifacts are reached by the same.

Keys, roles and endpoints stand in no configuration and in no URL.
"""

import os
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

import duckdb

from runmill.errors import ConfigError
from runmill.store.duckdb.extensions import load

__all__ = ["prepare"]


def prepare(connection: duckdb.DuckDBPyConnection, data_path: str) -> None:
    """Make the engine able to reach *data_path*; a folder needs nothing. Raises ConfigError when it cannot."""
    scheme = urlsplit(data_path).scheme
    if scheme not in _STORAGES:
        return
    extensions, secret = _STORAGES[scheme]
    load(connection, extensions)
    options = secret(os.environ, data_path)
    said = ", ".join(f"{name} {_quoted(value)}" for name, value in options.items() if value)
    try:
        connection.execute(f"create secret runmill_storage ({said})")
    except duckdb.Error as error:
        raise ConfigError(f"{data_path}: no credentials for it in the environment: {error}") from error


def _s3(environment: Mapping[str, str], _: str) -> dict[str, str | None]:
    endpoint = urlsplit(environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL") or "")
    return {
        "type": "s3",
        "provider": "credential_chain",
        "region": environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION"),
        "endpoint": endpoint.netloc,
        # Who brings an endpoint seldom has a host name for each bucket.
        "url_style": "path" if endpoint.netloc else None,
        "use_ssl": "false" if endpoint.scheme == "http" else None,
    }


def _azure(environment: Mapping[str, str], data_path: str) -> dict[str, str | None]:
    if connection := environment.get("AZURE_STORAGE_CONNECTION_STRING"):
        return {"type": "azure", "connection_string": connection}
    account = urlsplit(data_path).hostname or ""
    return {
        "type": "azure",
        "provider": "credential_chain",
        "account_name": environment.get("AZURE_STORAGE_ACCOUNT_NAME") or account.partition(".")[0],
    }


def _gcs(environment: Mapping[str, str], data_path: str) -> dict[str, str | None]:
    key_id, secret = environment.get("GCS_HMAC_KEY_ID"), environment.get("GCS_HMAC_SECRET")
    if not key_id or not secret:
        raise ConfigError(f"{data_path}: set GCS_HMAC_KEY_ID and GCS_HMAC_SECRET to an HMAC key that may write there.")
    return {"type": "gcs", "key_id": key_id, "secret": secret}


_Secret = Callable[[Mapping[str, str], str], dict[str, str | None]]
_STORAGES: Final[dict[str, tuple[tuple[str, ...], _Secret]]] = {
    "s3": (("httpfs", "aws"), _s3),
    "abfss": (("azure",), _azure),
    "gs": (("httpfs",), _gcs),
}


def _quoted(text: str | None) -> str:
    return "'" + (text or "").replace("'", "''") + "'"
