"""What a receiver shows of itself over TLS, and whom it lets in by their certificate."""

import ssl
from pathlib import Path
from typing import Final, Literal

from pydantic import model_validator

from runmill.collector.values import Section

__all__ = ["ServerTlsConfig"]

_VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class ServerTlsConfig(Section):
    """Source: OpenTelemetry Collector, config/configtls. The files are read at the start, and again on SIGHUP."""

    cert_file: Path
    """The server's certificate, with those between it and its authority behind it; PEM."""
    key_file: Path
    """Its key."""
    client_ca_file: Path | None = None
    """Only clients that show a certificate of this authority are let in (mTLS); they need no token."""
    min_version: Literal["1.2", "1.3"] = "1.2"
    """An older TLS is refused. gRPC knows 1.2 only."""

    @model_validator(mode="after")
    def _check(self) -> "ServerTlsConfig":
        for name, path in (
            ("cert_file", self.cert_file), ("key_file", self.key_file), ("client_ca_file", self.client_ca_file),
        ):  # fmt: skip
            if path is not None and not path.is_file():
                raise ValueError(f"{name} '{path}' is no file. Give the path of a PEM file")
        try:
            self.context()
        except (OSError, ssl.SSLError) as error:
            raise ValueError(
                f"cert_file '{self.cert_file}', key_file '{self.key_file}' and client_ca_file cannot be used: {error}. "
                "Give PEM files this process may read, and the key that belongs to the certificate"
            ) from error
        return self

    def context(self) -> ssl.SSLContext:
        """Give what an HTTP server speaks TLS with. Raises OSError when the files are gone or wrong."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = _VERSIONS[self.min_version]
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(self.cert_file, self.key_file)
        if self.client_ca_file is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.client_ca_file)
        return context
