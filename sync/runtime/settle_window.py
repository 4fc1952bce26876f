"""How long the late effect of a request that got no answer is waited for, at least.

A request may take effect for as long as its answer is waited for, and longer. Who looks earlier for
what it made may find nothing, and make it twice.
"""

from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

_PRACTICE_ENDINGS: Final = ("localhost", "test")
"""Names that are kept for a machine itself and for tests: no service is ever called so."""


def check_settle_window(
    settle_seconds: float, *, request_timeout_seconds: float, base_url: str
) -> None:
    """Raise ValueError where a request may take effect after it was looked for.

    Where a record that is made twice harms nobody, at a DokStamp to practise on, it may be hurried.
    """
    if settle_seconds >= request_timeout_seconds or is_practice(base_url):
        return
    message = (
        f"must be at least REQUEST_TIMEOUT_SECONDS ({request_timeout_seconds:g}), because a "
        f"request may take effect for as long as its answer is waited for; set SETTLE_SECONDS to "
        f"{request_timeout_seconds:g} or more, or lower REQUEST_TIMEOUT_SECONDS to "
        f"{settle_seconds:g} or less"
    )
    raise ValueError(message)


def is_practice(base_url: str) -> bool:
    """Tell whether an address can only be that of a DokStamp to practise on."""
    try:
        host = (urlsplit(base_url).hostname or "").rstrip(".")
        return host.rpartition(".")[2] in _PRACTICE_ENDINGS or ip_address(host).is_loopback
    except ValueError:
        return False
