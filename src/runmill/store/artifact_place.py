"""Where the bytes of files are: a folder, or an object storage that the variables of its cloud give access to."""

import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from runmill.errors import ConfigError

__all__ = ["open_place"]

_RETRY_TIME: Final = timedelta(seconds=20)


def open_place(place: Path | str) -> ObjectStore:
    """Open *place*: a folder, made when it is not there, or a URL such as ``s3://bucket/prefix``.

    Nothing is asked of an object storage yet. Raises ConfigError when it cannot be reached as it is described.
    """
    if isinstance(place, Path):
        return LocalStore(place, mkdir=True, automatic_cleanup=True)
    described = _DESCRIBED.get(urlsplit(place).scheme, _nothing)
    config: Any = described(os.environ)  # of the cloud that the URL names
    try:
        return from_url(
            place,
            config=config,
            client_options={"allow_http": True},  # only an endpoint that somebody wrote with http:// is asked so
            retry_config={"max_retries": 3, "retry_timeout": _RETRY_TIME},
        )
    except (BaseError, ValueError) as error:
        said = str(error).partition("\n")[0]  # the rest is how obstore's own values look
        raise ConfigError(
            f"{place}: no place for files. Give a folder, s3://, abfss://, az:// or gs://: {said}"
        ) from error


# Beside what obstore reads of the environment by itself.


def _nothing(_: Mapping[str, str]) -> dict[str, Any]:
    return {}


def _azure(environment: Mapping[str, str]) -> dict[str, Any]:
    parts = dict(
        part.strip().split("=", 1)
        for part in environment.get("AZURE_STORAGE_CONNECTION_STRING", "").split(";")
        if "=" in part
    )
    if not parts:
        return {}
    endpoint = parts.get("BlobEndpoint") or "{}://{}.blob.{}".format(
        parts.get("DefaultEndpointsProtocol", "https"),
        parts.get("AccountName", ""),
        parts.get("EndpointSuffix", "core.windows.net"),
    )
    config = {
        "account_name": parts.get("AccountName") or (urlsplit(endpoint).hostname or "").partition(".")[0],
        "account_key": parts.get("AccountKey"),
        "sas_key": parts.get("SharedAccessSignature"),
        "endpoint": endpoint,
    }
    return {name: value for name, value in config.items() if value}


def _gcs(environment: Mapping[str, str]) -> dict[str, Any]:
    endpoint = environment.get("GCS_ENDPOINT_URL")
    return {"base_url": endpoint} if endpoint else {}


_DESCRIBED: Final[dict[str, Callable[[Mapping[str, str]], dict[str, Any]]]] = {
    "abfss": _azure,
    "az": _azure,
    "gs": _gcs,
}
