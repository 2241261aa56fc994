"""Azure's blob storage as azurite plays it, where that is installed: ``npm install --prefix .venv/azurite azurite``."""

import base64
import hashlib
import hmac
import os
import shutil
import subprocess
import sys
from email.utils import formatdate
from http.client import HTTPConnection
from pathlib import Path

import pytest
from lake_servers import free_port, wait_for

ACCOUNT = "devstoreaccount1"
# The key that every azurite has; its manual says it.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


class BlobStorage:
    """A blob service with one container, ``runs``, in memory."""

    def __init__(self) -> None:
        self._port = free_port()
        options = ("--blobHost", "127.0.0.1", "--blobPort", str(self._port), "--inMemoryPersistence", "--silent")
        self._process = subprocess.Popen(
            [_program(), *options, "--skipApiVersionCheck", "--disableTelemetry"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(self._has_container, "azurite")

    @property
    def environment(self) -> dict[str, str]:
        endpoint = f"http://127.0.0.1:{self._port}/{ACCOUNT}"
        said = f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={endpoint};"
        return {"AZURE_STORAGE_CONNECTION_STRING": said}

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def _has_container(self) -> bool:
        """Make it. Source: Azure Storage's "Authorize with Shared Key"."""
        path, headers = f"/{ACCOUNT}/runs", {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-12-02"}
        said = "".join(f"{name}:{value}\n" for name, value in headers.items())
        signed = f"PUT{12 * chr(10)}{said}/{ACCOUNT}{path}\nrestype:container"
        signature = base64.b64encode(hmac.digest(base64.b64decode(KEY), signed.encode(), hashlib.sha256)).decode()
        connection = HTTPConnection("127.0.0.1", self._port, timeout=5)
        try:
            authorized = headers | {"Authorization": f"SharedKey {ACCOUNT}:{signature}", "Content-Length": "0"}
            connection.request("PUT", f"{path}?restype=container", headers=authorized)
            return connection.getresponse().status in {201, 409}
        except OSError:
            return False
        finally:
            connection.close()


def _program() -> str:
    beside = Path(sys.prefix) / "azurite" / "node_modules" / ".bin"
    found = shutil.which("azurite-blob", path=f"{beside}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        pytest.skip("NOT TESTED: Azure. Its server is not here: npm install --prefix .venv/azurite azurite")
    return found
