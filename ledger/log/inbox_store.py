"""The inbox: events that a host writes in its own transaction, given positions after its commit.

Everything is checked and sealed beforehand, so that putting an event into the inbox is one insert
on the host's connection, without a lock on the head row.
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, select

from ledger.database import Database
from ledger.log.envelope import Prepared, parse_time
from ledger.log.merkle import leaf_hash
from ledger.reference import SourceRef
from ledger.schema.statements import one_of
from ledger.schema.tables import inbox

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


def put(connection: Connection, ledger: int, *, entry: Entry, database: Database) -> None:
    """Insert an entry on a host's connection; raises `LedgerError` for an unsafe one."""
    database.require_recipe(connection)
    # The host's connection knows its own schemas, not the ledger's.
    place = {"schema_translate_map": {None: database.schema}} if database.schema else {}
    row = {"ledger": ledger, "prepared": encode(entry)}
    connection.execute(_PUT, row, execution_options=place)


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
