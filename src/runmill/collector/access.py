"""Who may reach what listens: this machine only, or whoever brings a token or a certificate, unless told otherwise."""

from runmill.collector.values import is_loopback, split_endpoint
from runmill.errors import ConfigError

__all__ = ["required_token"]


def required_token(
    endpoint: str, *, place: str, token: str | None, is_insecure: bool, checks_clients: bool = False
) -> str | None:
    """Give the token that requests to *endpoint* must bring; None where they need none.

    Args:
        endpoint: ``HOST:PORT``.
        place: Its path in the configuration, for the error.
        token: What there is to ask for.
        is_insecure: Everybody is let in, because the user said so.
        checks_clients: Clients show a certificate (mTLS), which is proof enough.

    Raises:
        ConfigError: It is wider than loopback, and nothing would keep strangers out.
    """
    if is_insecure or checks_clients or is_loopback(split_endpoint(endpoint)[0]):
        return None
    if not token:
        raise ConfigError(
            f"{place}: {endpoint!r} is reached from other machines, and nothing keeps strangers out. Set "
            "RUNMILL_TOKEN, or 'tls' with a 'client_ca_file', or listen on localhost; --insecure lets everybody in."
        )
    return token
