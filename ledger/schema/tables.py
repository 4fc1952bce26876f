"""Every table of a ledger's database.

Three families. *Truth*: `ledgers`, `heads`, `events`. *Folded from the truth*, each row marked with
the generation that folded it, so that a rebuild can fold beside the live rows: everything with a
`generation` column. *Of the moment*, left alone by a rebuild: leases, sightings, the inbox, and the
wakes, which say what of one folding is still to be looked at.
Times are microseconds since the epoch, except `*_seconds`.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.schema import SchemaItem

metadata = MetaData()
# The same order as SQLite's, so that pages and comparisons go alike on both.
_TEXT = Text().with_variant(Text(collation="C"), "postgresql")


def _number(name: str, *, key: bool = False, null: bool = False) -> Column[int]:
    return Column(name, BigInteger, primary_key=key, nullable=null, autoincrement=False)


def _text(name: str, *, key: bool = False, null: bool = False) -> Column[str]:
    return Column(name, _TEXT, primary_key=key, nullable=null)


def _bytes(name: str, *, key: bool = False, null: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary, primary_key=key, nullable=null)


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default=text("false"))


def _folded(name: str, *columns: SchemaItem) -> Table:
    return Table(
        name, metadata, _number("ledger", key=True), _number("generation", key=True), *columns
    )


def _index(
    table: Table, name: str, *columns: str, unique: bool = False, where: str | None = None
) -> None:
    indexed = (table.c[column] for column in ("ledger", "generation", *columns))
    Index(name, *indexed, unique=unique, **_rows(where))


def _rows(where: str | None) -> dict[str, Any]:
    condition = None if where is None else text(where)
    return {"sqlite_where": condition, "postgresql_where": condition}


# Truth.

ledgers = Table(
    "ledgers",
    metadata,
    Column("ledger", Integer, primary_key=True, autoincrement=True),
    _text("ledger_id"),
    _text("tenant", null=True),
    _text("base_url", null=True),
    _number("created_at"),
    _number("generation"),
    _bytes("key_fingerprint"),
    Index("ledgers_id", "ledger_id", unique=True),
)

heads = Table(
    "heads",
    metadata,
    _number("ledger", key=True),
    _number("size"),
    _bytes("compact_range"),
)

events = Table(
    "events",
    metadata,
    _number("ledger", key=True),
    _number("position", key=True),
    _text("source"),
    _text("event_id"),
    _text("type"),
    _text("entity", null=True),
    _text("source_id", null=True),
    _flag("is_outcome"),
    _number("recorded_at"),
    _text("person"),
    _bytes("envelope"),
    _bytes("sealed", null=True),
    _bytes("content_digest"),
    _bytes("leaf"),
    Index("events_name", "ledger", "source", "event_id", unique=True),
    Index("events_subject", "ledger", "entity", "source_id", "position"),
    Index("events_kind", "ledger", "is_outcome", "position"),
    Index("events_type", "ledger", "type", "position"),
    Index("events_person", "ledger", "person", "position", **_rows("person <> ''")),
)

# Computed from the truth: 256 neighbouring hashes of the tree, kept once they are complete.
tiles = Table(
    "tiles",
    metadata,
    _number("ledger", key=True),
    _number("level", key=True),
    _number("number", key=True),
    _bytes("hashes"),
    _bytes("root"),
)

# Folded from the truth.

checkpoints = _folded("checkpoints", _text("name", key=True), _number("position"))

records = _folded(
    "records",
    _text("entity", key=True),
    _text("source_id", key=True),
    _text("owner"),
    _number("first_position"),
    _number("state_position", null=True),
    _number("last_position", null=True),
    _number("removed_position", null=True),
    _text("lane"),
)

references = _folded(
    "record_references",
    _text("entity", key=True),
    _text("source_id", key=True),
    _text("field", key=True),
    _text("to_entity"),
    _text("to_source_id"),
)
_index(references, "references_to", "to_entity", "to_source_id")

sequences = _folded(
    "sequences",
    _text("entity", key=True),
    _text("source_id", key=True),
    _text("source", key=True),
    _number("sequence"),
)

natural_keys = _folded(
    "natural_keys",
    _text("entity", key=True),
    _text("source_id", key=True),
    _bytes("digest", key=True),
)
_index(natural_keys, "natural_keys_digest", "digest")

operations = _folded(
    "operations",
    _text("key", key=True),
    _number("cause"),
    _number("payload", null=True),
    _number("place", null=True),
    _text("entity"),
    _text("source_id"),
    _text("kind"),
    _text("state"),
    _number("priority"),
    _text("lane"),
    _text("second_lane", null=True),
    _number("attempts"),
    _number("failures"),
    Column("not_before_seconds", Float, nullable=False),
    _text("reason", null=True),
    _text("concerns", null=True),
    _flag("possibly_sent"),
    _flag("completes"),
    _text("superseded_by", null=True),
    _number("epoch"),
    _number("ended", null=True),
)
_index(operations, "operations_due", "state", "priority", "cause")
_index(operations, "operations_record", "entity", "source_id", "cause")
_index(operations, "operations_in_doubt", "lane", where="state IN ('leased', 'uncertain')")

gates = _folded(
    "gates",
    _text("operation", key=True),
    _number("number", key=True),
    _text("kind"),
    _text("entity"),
    _text("source_id"),
    _text("waits_for", null=True),
    _flag("is_open"),
)
# A page of closed gates ends at an operation and number, so the order belongs into the indexes.
_index(gates, "gates_record", "entity", "source_id", "is_open", "operation", "number")
_index(gates, "gates_operation", "waits_for", "is_open", "operation", "number")

operation_references = _folded(
    "operation_references",
    _text("operation", key=True),
    _text("to_entity", key=True),
    _text("to_source_id", key=True),
)
# With the operation, or SQLite would rather read through all references by the primary key.
_index(operation_references, "operation_references_to", "to_entity", "to_source_id", "operation")

operation_events = _folded(
    "operation_events", _text("operation", key=True), _number("position", key=True)
)

bindings = _folded(
    "bindings",
    _text("entity", key=True),
    _text("source_id", key=True),
    _text("target_id"),
    _text("target_key"),
    _text("state"),
    _number("position"),
    _number("sent", null=True),
    _flag("is_complete"),
)
_index(
    bindings, "bindings_target", "entity", "target_key", unique=True, where="state <> 'released'"
)

binding_history = _folded(
    "binding_history",
    _text("entity", key=True),
    _text("source_id", key=True),
    _number("position", key=True),
    _text("target_id"),
    _text("target_key"),
    _text("state"),
)
_index(binding_history, "binding_history_target", "target_key")

quarantine = _folded(
    "quarantine",
    _text("key", key=True),
    _number("position"),
    _text("state"),
    _text("codes"),
)
_index(quarantine, "quarantine_position", "position")

documents_used = _folded("documents_used", _bytes("document", key=True), _text("source_id"))

subjects = _folded("subjects", _text("person", key=True), _text("state"), _number("position"))

# Of the moment.

leases = Table(
    "leases",
    metadata,
    _number("ledger", key=True),
    _text("lane", key=True),
    _text("host"),
    _number("epoch"),
    Column("until_seconds", Float, nullable=False),
)

epochs = Table("epochs", metadata, _number("ledger", key=True), _number("epoch"))

wakes = _folded(
    "wakes",
    _text("kind", key=True),
    _text("entity", key=True),
    _text("name", key=True),
    _text("after_operation"),
    _number("after_number"),
)

sightings = Table(
    "sightings", metadata, _number("ledger", key=True), _text("key", key=True), _number("count")
)

inbox = Table(
    "inbox",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    _number("ledger"),
    _bytes("prepared"),
)

FOLDED = tuple(
    table
    for table in metadata.sorted_tables
    if "generation" in table.c and table not in (ledgers, wakes)
)
"""The tables that a rebuild folds again and compares."""
