"""Every table of a ledger's database.

Three families. *Truth*: `ledgers`, `heads`, `events`. *Folded from the truth*, each row marked with
the generation that folded it, so that a rebuild can fold beside the live rows: everything with a
`generation` column. *Of the moment*, left alone by a rebuild: leases, paces, sightings, the inbox,
and the wakes, which say what of one folding is still to be looked at.
Times are microseconds since the epoch, except `*_seconds`.
"""

from typing import Any, Final

from sqlalchemy import Column, Index, Integer, MetaData, Table, text
from sqlalchemy.schema import SchemaItem

from ledger.schema.columns import flag, number, raw, seconds, words

metadata = MetaData()

OF_A_PERSON: Final = "person <> ''"
HELD: Final = "state <> 'released'"
OPEN: Final = "ended IS NULL"
"""Which rows the partial indexes are of. A statement that is to use one says the same, in words:
with a parameter in the place of a value SQLite does not see that it is the same."""


def _folded(name: str, *columns: SchemaItem) -> Table:
    return Table(
        name, metadata, number("ledger", key=True), number("generation", key=True), *columns
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
    words("ledger_id"),
    words("tenant", null=True),
    words("base_url", null=True),
    number("created_at"),
    number("generation"),
    raw("key_fingerprint"),
    Index("ledgers_id", "ledger_id", unique=True),
)

heads = Table("heads", metadata, number("ledger", key=True), number("size"), raw("compact_range"))

events = Table(
    "events",
    metadata,
    number("ledger", key=True),
    number("position", key=True),
    words("source"),
    words("event_id"),
    words("type"),
    words("entity", null=True),
    words("source_id", null=True),
    flag("is_outcome"),
    number("recorded_at"),
    words("person"),
    raw("envelope"),
    raw("sealed", null=True),
    raw("content_digest"),
    raw("leaf"),
    Index("events_name", "ledger", "source", "event_id", unique=True),
    Index("events_subject", "ledger", "entity", "source_id", "position"),
    Index("events_kind", "ledger", "is_outcome", "position"),
    Index("events_type", "ledger", "type", "position"),
    Index("events_person", "ledger", "person", "position", **_rows(OF_A_PERSON)),
)

# Computed from the truth: 256 neighbouring hashes of the tree, kept once they are complete.
tiles = Table(
    "tiles",
    metadata,
    number("ledger", key=True),
    number("level", key=True),
    number("number", key=True),
    raw("hashes"),
    raw("root"),
)

# Folded from the truth.

checkpoints = _folded("checkpoints", words("name", key=True), number("position"))

records = _folded(
    "records",
    words("entity", key=True),
    words("source_id", key=True),
    words("owner"),
    number("first_position"),
    number("state_position", null=True),
    number("last_position", null=True),
    number("removed_position", null=True),
    words("lane"),
)

references = _folded(
    "record_references",
    words("entity", key=True),
    words("source_id", key=True),
    words("field", key=True),
    words("to_entity"),
    words("to_source_id"),
)
# Each of these goes on to the row's own name, or SQLite, which knows nothing of how many rows there
# are, would rather read through all rows of an entity by the primary key.
_index(references, "references_to", "to_entity", "to_source_id", "entity", "source_id")

sequences = _folded(
    "sequences",
    words("entity", key=True),
    words("source_id", key=True),
    words("source", key=True),
    number("sequence"),
)

natural_keys = _folded(
    "natural_keys",
    words("entity", key=True),
    words("source_id", key=True),
    raw("digest", key=True),
)
_index(natural_keys, "natural_keys_digest", "digest", "entity", "source_id")

operations = _folded(
    "operations",
    words("key", key=True),
    number("cause"),
    number("payload", null=True),
    number("place", null=True),
    words("entity"),
    words("source_id"),
    words("kind"),
    words("state"),
    number("priority"),
    words("lane"),
    words("second_lane", null=True),
    number("attempts"),
    number("failures"),
    seconds("not_before_seconds"),
    words("reason", null=True),
    words("concerns", null=True),
    flag("possibly_sent"),
    flag("completes"),
    words("superseded_by", null=True),
    number("epoch"),
    number("ended", null=True),
)
_index(operations, "operations_due", "state", "priority", "cause")
_index(operations, "operations_record", "entity", "source_id", "cause")
_index(operations, "operations_open", "entity", "source_id", "cause", where=OPEN)
_index(operations, "operations_lane", "lane", "state", "priority", "cause", where=OPEN)

gates = _folded(
    "gates",
    words("operation", key=True),
    number("number", key=True),
    words("kind"),
    words("entity"),
    words("source_id"),
    words("waits_for", null=True),
    flag("is_open"),
)
# A page of closed gates ends at an operation and number, so the order belongs into the indexes.
_index(gates, "gates_record", "entity", "source_id", "is_open", "operation", "number")
_index(gates, "gates_operation", "waits_for", "is_open", "operation", "number")

operation_references = _folded(
    "operation_references",
    words("operation", key=True),
    words("to_entity", key=True),
    words("to_source_id", key=True),
)
_index(operation_references, "operation_references_to", "to_entity", "to_source_id", "operation")

operation_events = _folded(
    "operation_events", words("operation", key=True), number("position", key=True)
)

bindings = _folded(
    "bindings",
    words("entity", key=True),
    words("source_id", key=True),
    words("target_id"),
    words("target_key"),
    words("state"),
    number("position"),
    number("sent", null=True),
    flag("is_complete"),
)
_index(bindings, "bindings_target", "entity", "target_key", unique=True, where=HELD)

binding_history = _folded(
    "binding_history",
    words("entity", key=True),
    words("source_id", key=True),
    number("position", key=True),
    words("target_id"),
    words("target_key"),
    words("state"),
)
_index(binding_history, "binding_history_target", "target_key")

quarantine = _folded(
    "quarantine",
    words("key", key=True),
    number("position"),
    words("state"),
    words("codes"),
)
_index(quarantine, "quarantine_position", "position")

documents_used = _folded("documents_used", raw("document", key=True), words("source_id"))

subjects = _folded("subjects", words("person", key=True), words("state"), number("position"))

# Of the moment.

leases = Table(
    "leases",
    metadata,
    number("ledger", key=True),
    words("lane", key=True),
    words("host"),
    number("epoch"),
    seconds("until_seconds"),
)

epochs = Table("epochs", metadata, number("ledger", key=True), number("epoch"))

wakes = _folded(
    "wakes",
    words("kind", key=True),
    words("entity", key=True),
    words("name", key=True),
    words("after_operation"),
    number("after_number"),
)

sightings = Table(
    "sightings", metadata, number("ledger", key=True), words("key", key=True), number("count")
)

# How hosts share what the service allows, and how each of them sees the service.
paces = Table(
    "paces",
    metadata,
    number("ledger", key=True),
    number("slot"),
    seconds("given"),
    seconds("given_next"),
    seconds("share"),
    seconds("told_per_second", null=True),
    seconds("told_at_seconds"),
    seconds("paused_until_seconds"),
    seconds("probe_after_seconds"),
    words("stopped", null=True),
)

pace_hosts = Table(
    "pace_hosts",
    metadata,
    number("ledger", key=True),
    words("host", key=True),
    seconds("seen_seconds"),
    seconds("wanted"),
    words("circuit"),
    words("outage", null=True),
)

inbox = Table(
    "inbox",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    number("ledger"),
    raw("prepared"),
)

FOLDED = tuple(
    table
    for table in metadata.sorted_tables
    if "generation" in table.c and table not in (ledgers, wakes)
)
"""The tables that a rebuild folds again and compares."""
