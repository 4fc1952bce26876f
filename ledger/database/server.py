"""Where a ledger lives on PostgreSQL: a database on a server, and a schema in it."""

import re
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

SCHEMES: Final = ("postgresql+asyncpg://", "postgresql://", "postgres://")
DRIVER: Final = "postgresql+asyncpg"
SCHEMA: Final = "dokstamp_ledger"
VAULT: Final = "_vault"
# Unquoted names as the server keeps them, with room for the vault's in its 63 bytes.
_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,56}")
_OPTIONS: Final = frozenset({"host", "port", "schema", "ssl", "sslmode"})


@dataclass(frozen=True, slots=True)
class Server:
    """A database on a server, and the schema that the ledger's tables are in."""

    url: URL = field(repr=False)
    schema: str = SCHEMA

    @classmethod
    def parse(cls, address: str) -> "Server":
        """Return the place that an address names; raises ValueError, repeating nothing of it."""
        try:
            url = make_url(address)
        except (ArgumentError, ValueError):
            message = "must look like postgresql://user@host/database?schema=dokstamp_ledger"
            raise ValueError(message) from None
        unknown = sorted(url.query.keys() - _OPTIONS)
        if unknown or not url.database:
            message = f"must name a database, and of options only {', '.join(sorted(_OPTIONS))}"
            raise ValueError(message)
        schema = str(url.query.get("schema", SCHEMA))
        if not _NAME.fullmatch(schema):
            message = "must name a schema of small letters, digits and '_', 57 at most"
            raise ValueError(message)
        return cls(url.set(drivername=DRIVER, query=_driver_options(url)), schema)

    @property
    def vault(self) -> "Server":
        """The vault's own schema, beside the ledger's."""
        return replace(self, schema=f"{self.schema}{VAULT}")

    def __str__(self) -> str:
        # Only what tells servers apart: no password, no options.
        port = f":{self.url.port}" if self.url.port else ""
        where = f"{self.url.host or ''}{port}/{self.url.database}"
        return f"postgresql://{where}?schema={self.schema}"


def _driver_options(url: URL) -> dict[str, str | tuple[str, ...]]:
    options = {name: value for name, value in url.query.items() if name != "schema"}
    # What libpq calls sslmode, the driver calls ssl; the values are the same.
    if "sslmode" in options:
        options["ssl"] = options.pop("sslmode")
    return options
