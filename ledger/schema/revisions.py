"""Which revisions of the schema this program knows, so that asking needs no migration tool."""

from typing import Final, Literal

Line = Literal["main", "vault"]
"""A database with a history of its own: the ledger's, or the vault's."""

VERSION_TABLES: Final[dict[Line, str]] = {"main": "schema_version", "vault": "vault_version"}
"""Where each database says what it looks like; two names, because one server may hold both."""

REVISIONS: Final[dict[Line, tuple[str, ...]]] = {
    "main": ("main_0001", "main_0002", "main_0003", "main_0004"),
    "vault": ("vault_0001", "vault_0002"),
}
"""The revisions of each line, oldest first; a test compares them with the scripts."""
