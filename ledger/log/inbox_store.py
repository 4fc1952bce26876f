"""The inbox: events that a host writes in its own transaction, given positions after its commit.

Everything is checked and sealed beforehand, so that putting an event into the inbox is one insert
on the host's connection, without a lock on the head row.
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson
from sqlalchemy import Connection, bindparam, select

from ledger.errors import LedgerError
from ledger.log.envelope import Prepared, parse_time
from ledger.log.merkle import leaf_hash
from ledger.reference import SourceRef
from ledger.schema.statements import one_of
from ledger.schema.tables import inbox

RECIPE: Final = (
    "give your SQLite engine connect_args={'isolation_level': None}, emit 'BEGIN IMMEDIATE' from "
    "its 'begin' event and 'PRAGMA synchronous = FULL' from its 'connect' event"
)
FULL_SYNCHRONOUS: Final = 2

_PUT = inbox.insert()
_PAGE = (
    select(inbox.c.number, inbox.c.prepared)
    .where(inbox.c.ledger == bindparam("in_ledger"))
    .order_by(inbox.c.number)
    .limit(bindparam("entries_max"))
)
_ANY = select(inbox.c.number).where(inbox.c.ledger == bindparam("in_ledger")).limit(1)
_REMOVE = inbox.delete().where(inbox.c.number.in_(one_of("numbers")))


@dataclass(frozen=True, slots=True)
class Entry:
    """A source event that is sealed and ready for the inbox."""

    prepared: Prepared
    document: bytes | None = field(default=None, repr=False)
    """The keyed digest of the document that it names."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An entry that waits in the inbox, and its number there."""

    number: int
    entry: Entry


def put(connection: Connection, ledger: int, *, entry: Entry, path: Path) -> None:
    """Insert an entry on a host's connection; raises `LedgerError` for an unsafe one."""
    _require_recipe(connection, path)
    connection.execute(_PUT, {"ledger": ledger, "prepared": encode(entry)})


def read_page(connection: Connection, ledger: int, *, limit: int) -> list[Waiting]:
    """Return up to `limit` entries in the order of their commits."""
    rows = connection.execute(_PAGE, {"in_ledger": ledger, "entries_max": limit})
    return [Waiting(row.number, decode(row.prepared)) for row in rows]


def has_any(connection: Connection, ledger: int) -> bool:
    """Tell whether anything waits to be given a position."""
    return connection.execute(_ANY, {"in_ledger": ledger}).first() is not None


def remove(connection: Connection, *, numbers: Iterable[int]) -> None:
    """Delete entries that are in the log or in quarantine."""
    connection.execute(_REMOVE, {"numbers": list(numbers)})


def encode(entry: Entry) -> bytes:
    """Return an entry as the bytes that the inbox keeps; nothing in them is in the clear."""
    prepared = entry.prepared
    return orjson.dumps(
        {
            "envelope": base64.b64encode(prepared.envelope).decode(),
            "sealed": _text(prepared.sealed),
            "document": _text(entry.document),
        }
    )


def decode(content: bytes) -> Entry:
    """Return the entry that `encode` wrote."""
    parts = orjson.loads(content)
    envelope = base64.b64decode(parts["envelope"])
    fields: dict[str, Any] = orjson.loads(envelope)
    subject = SourceRef(fields["entity"], fields["subject"]) if "entity" in fields else None
    prepared = Prepared(
        source=fields["source"],
        id=fields["id"],
        type=fields["type"],
        subject=subject,
        recorded_at=parse_time(fields["recorded_at"]),
        person=fields.get("person", ""),
        envelope=envelope,
        sealed=_bytes(parts["sealed"]),
        content_digest=bytes.fromhex(fields["content_digest"]),
        leaf=leaf_hash(envelope),
    )
    return Entry(prepared, document=_bytes(parts["document"]))


def _text(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)


def _require_recipe(connection: Connection, path: Path) -> None:
    """Refuse a connection on which the host's write and the event might part."""
    files = connection.exec_driver_sql("PRAGMA database_list").all()
    if not any(row[2] and Path(row[2]).resolve() == path.resolve() for row in files):
        message = f"the inbox is a table of {path}: put events on a connection to that file"
        raise LedgerError(message)
    driver = connection.connection.dbapi_connection
    is_in_transaction = bool(getattr(driver, "in_transaction", False))
    synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
    has_own_begin = getattr(driver, "isolation_level", "") is None and is_in_transaction
    if not has_own_begin or synchronous < FULL_SYNCHRONOUS:
        message = f"this connection cannot commit your write and the event as one: {RECIPE}"
        raise LedgerError(message)
