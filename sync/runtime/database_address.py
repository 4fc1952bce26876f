"""Which file or server a database address names."""

from pathlib import Path
from typing import Final

from ledger.database import Server

_SQLITE: Final = ("sqlite+aiosqlite:", "sqlite:")
_POSTGRESQL: Final = ("postgresql", "postgres:")
_EXPECTED: Final = (
    "must name a file, as in sqlite+aiosqlite:///dokstamp-ledger.db, or a database on a server, as "
    "in postgresql://user@host/database"
)


def database_place(address: str) -> Path | Server:
    """Return the file or server that an address names; raises ValueError for any other.

    What is refused is not repeated: an address may hold a password.
    """
    if address.startswith(_POSTGRESQL):
        return Server.parse(address)
    scheme = next((scheme for scheme in _SQLITE if address.startswith(scheme)), None)
    name = address if scheme is None else _after_slashes(address.removeprefix(scheme))
    # Without a scheme, ':' alone is no reason to refuse: it may stand in a file's name.
    is_foreign = scheme is None and "://" in name
    if is_foreign or "?" in name or name in {"", ":memory:"} or name.endswith("/"):
        raise ValueError(_EXPECTED)
    return Path(name)


def shown_address(address: str) -> str:
    """Return an address fit to be shown: no password, no option that might hold one."""
    place = database_place(address)
    return str(place) if isinstance(place, Server) else address


def _after_slashes(rest: str) -> str:
    """Return the path after `///`: relative as it is, absolute with a fourth slash."""
    if not rest.startswith("///"):
        raise ValueError(_EXPECTED)
    return rest.removeprefix("///")
