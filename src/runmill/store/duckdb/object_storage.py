"""Access to object storage for the engine, by the cloud's own environment variables: artifacts are reached by the same.

Keys, roles and endpoints stand in no configuration and in no URL.
"""

import os
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias
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
    extensions, options = _STORAGES[scheme](os.environ, data_path)
    load(connection, extensions)
    said = ", ".join(f"{name} {_quoted(value)}" for name, value in options.items() if value)
    try:
        connection.execute(f"create secret runmill_storage ({said})")
    except duckdb.Error as error:
        raise ConfigError(f"{data_path}: no credentials for it in the environment: {error}") from error


_Access: TypeAlias = tuple[tuple[str, ...], dict[str, str | None]]
"""The extensions to load, and the options of a secret; what is None or empty is left out."""


def _s3(environment: Mapping[str, str], _: str) -> _Access:
    endpoint = urlsplit(environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL") or "")
    place = {
        "type": "s3",
        "region": environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION"),
        "endpoint": endpoint.netloc,
        # Who brings an endpoint seldom has a host name for each bucket.
        "url_style": "path" if endpoint.netloc else None,
        "use_ssl": "false" if endpoint.scheme == "http" else None,
    }
    if not environment.get("AWS_ACCESS_KEY_ID"):  # a role of the machine or the pod, or a profile
        return ("httpfs", "aws"), place | {"provider": "credential_chain"}
    return ("httpfs",), place | {
        "key_id": environment["AWS_ACCESS_KEY_ID"],
        "secret": environment.get("AWS_SECRET_ACCESS_KEY"),
        "session_token": environment.get("AWS_SESSION_TOKEN"),
    }


def _azure(environment: Mapping[str, str], data_path: str) -> _Access:
    if connection := environment.get("AZURE_STORAGE_CONNECTION_STRING"):
        return ("azure",), {"type": "azure", "connection_string": connection}
    account = environment.get("AZURE_STORAGE_ACCOUNT_NAME") or (urlsplit(data_path).hostname or "").partition(".")[0]
    return ("azure",), {"type": "azure", "provider": "credential_chain", "account_name": account}


def _gcs(environment: Mapping[str, str], data_path: str) -> _Access:
    key_id, secret = environment.get("GCS_HMAC_KEY_ID"), environment.get("GCS_HMAC_SECRET")
    if not key_id or not secret:
        raise ConfigError(f"{data_path}: set GCS_HMAC_KEY_ID and GCS_HMAC_SECRET to an HMAC key that may write there.")
    return ("httpfs",), {"type": "gcs", "key_id": key_id, "secret": secret}


_STORAGES: Final[dict[str, Callable[[Mapping[str, str], str], _Access]]] = {"s3": _s3, "abfss": _azure, "gs": _gcs}


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
