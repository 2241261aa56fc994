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
    place = _endpoint(environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL")) | {
        "type": "s3",
        "region": environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION"),
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
    account = environment.get("AZURE_STORAGE_ACCOUNT_NAME") or _account(data_path)
    if not account:
        raise ConfigError(f"{data_path}: set AZURE_STORAGE_CONNECTION_STRING or AZURE_STORAGE_ACCOUNT_NAME.")
    return ("azure",), {"type": "azure", "provider": "credential_chain", "account_name": account}


def _account(data_path: str) -> str:
    """Give the account that a URL names: ``container@account.dfs.core.windows.net``; else nothing."""
    host = urlsplit(data_path).hostname or ""
    return host.partition(".")[0] if "." in host else ""


def _gcs(environment: Mapping[str, str], data_path: str) -> _Access:
    key_id, secret = environment.get("GCS_HMAC_KEY_ID"), environment.get("GCS_HMAC_SECRET")
    if not key_id or not secret:
        raise ConfigError(f"{data_path}: set GCS_HMAC_KEY_ID and GCS_HMAC_SECRET to an HMAC key that may write there.")
    place = _endpoint(environment.get("GCS_ENDPOINT_URL"))
    return ("httpfs",), place | {"type": "gcs", "key_id": key_id, "secret": secret}


def _endpoint(url: str | None) -> dict[str, str | None]:
    """Say where a service is that is not its cloud's own; such one seldom has a host name for each bucket."""
    if not url:
        return {}
    parts = urlsplit(url)
    return {
        "endpoint": parts.netloc,
        "url_style": "path",
        "use_ssl": "false" if parts.scheme == "http" else None,
    }


_STORAGES: Final[dict[str, Callable[[Mapping[str, str], str], _Access]]] = {
    "s3": _s3,
    "abfss": _azure,
    "az": _azure,
    "gs": _gcs,
}


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
