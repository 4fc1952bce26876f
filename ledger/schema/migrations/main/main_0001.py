"""The first tables of a ledger, and the triggers that keep its log as it was written."""

import sqlalchemy as sa
from alembic.operations import Operations
from sqlalchemy.schema import SchemaItem

revision = "main_0001"
down_revision = None

REFUSAL = "the log is never changed: append an event that corrects it"
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade(op: Operations) -> None:
    """Make the tables and the triggers."""
    _make_truth(op)
    _make_records(op)
    _make_keys(op)
    _make_operations(op)
    _make_gates(op)
    _make_links(op)
    _make_bindings(op)
    _make_moment(op)
    for statement in _TRIGGERS[op.get_context().dialect.name]:
        op.execute(statement)


def _number(name: str, *, key: bool = False, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=key, nullable=null, autoincrement=False)


def _text(name: str, *, key: bool = False, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, _TEXT, primary_key=key, nullable=null)


def _bytes(name: str, *, key: bool = False, null: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, primary_key=key, nullable=null)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.text("false"))


def _serial(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, primary_key=True, autoincrement=True)


def _seconds(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Float, nullable=False)


def _make_folded(op: Operations, name: str, *columns: SchemaItem) -> None:
    op.create_table(name, _number("ledger", key=True), _number("generation", key=True), *columns)


def _make_folded_index(
    op: Operations, name: str, *columns: str, unique: bool = False, where: str | None = None
) -> None:
    table, *rest = columns
    condition = None if where is None else sa.text(where)
    op.create_index(
        name,
        table,
        ["ledger", "generation", *rest],
        unique=unique,
        sqlite_where=condition,
        postgresql_where=condition,
    )


def _make_truth(op: Operations) -> None:
    op.create_table(
        "ledgers",
        _serial("ledger"),
        _text("ledger_id"),
        _text("tenant", null=True),
        _text("base_url", null=True),
        _number("created_at"),
        _number("generation"),
        _bytes("key_fingerprint"),
    )
    op.create_index("ledgers_id", "ledgers", ["ledger_id"], unique=True)
    op.create_table("heads", _number("ledger", key=True), _number("size"), _bytes("compact_range"))
    op.create_table(
        "events",
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
    )
    op.create_index("events_name", "events", ["ledger", "source", "event_id"], unique=True)
    op.create_index("events_subject", "events", ["ledger", "entity", "source_id", "position"])
    op.create_index("events_kind", "events", ["ledger", "is_outcome", "position"])
    op.create_index("events_type", "events", ["ledger", "type", "position"])


def _make_records(op: Operations) -> None:
    _make_folded(op, "checkpoints", _text("name", key=True), _number("position"))
    _make_folded(
        op,
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
    _make_folded(
        op,
        "record_references",
        _text("entity", key=True),
        _text("source_id", key=True),
        _text("field", key=True),
        _text("to_entity"),
        _text("to_source_id"),
    )
    _make_folded_index(op, "references_to", "record_references", "to_entity", "to_source_id")
    _make_folded(
        op,
        "sequences",
        _text("entity", key=True),
        _text("source_id", key=True),
        _text("source", key=True),
        _number("sequence"),
    )


def _make_keys(op: Operations) -> None:
    _make_folded(
        op,
        "natural_keys",
        _text("entity", key=True),
        _text("source_id", key=True),
        _bytes("digest", key=True),
    )
    _make_folded_index(op, "natural_keys_digest", "natural_keys", "digest")
    _make_folded(
        op,
        "quarantine",
        _text("key", key=True),
        _number("position"),
        _text("state"),
        _text("codes"),
    )
    _make_folded_index(op, "quarantine_position", "quarantine", "position")
    _make_folded(op, "documents_used", _bytes("document", key=True), _text("source_id"))


def _make_operations(op: Operations) -> None:
    _make_folded(
        op,
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
        _seconds("not_before_seconds"),
        _text("reason", null=True),
        _text("concerns", null=True),
        _flag("possibly_sent"),
        _flag("completes"),
        _text("superseded_by", null=True),
        _number("epoch"),
        _number("ended", null=True),
    )
    in_doubt = "state IN ('leased', 'uncertain')"
    _make_folded_index(op, "operations_due", "operations", "state", "priority", "cause")
    _make_folded_index(op, "operations_record", "operations", "entity", "source_id", "cause")
    _make_folded_index(op, "operations_in_doubt", "operations", "lane", where=in_doubt)


def _make_gates(op: Operations) -> None:
    _make_folded(
        op,
        "gates",
        _text("operation", key=True),
        _number("number", key=True),
        _text("kind"),
        _text("entity"),
        _text("source_id"),
        _text("waits_for", null=True),
        _flag("is_open"),
    )
    place = ("is_open", "operation", "number")
    _make_folded_index(op, "gates_record", "gates", "entity", "source_id", *place)
    _make_folded_index(op, "gates_operation", "gates", "waits_for", *place)


def _make_links(op: Operations) -> None:
    _make_folded(
        op,
        "operation_references",
        _text("operation", key=True),
        _text("to_entity", key=True),
        _text("to_source_id", key=True),
    )
    _make_folded_index(
        op,
        "operation_references_to",
        "operation_references",
        "to_entity",
        "to_source_id",
        "operation",
    )
    _make_folded(
        op, "operation_events", _text("operation", key=True), _number("position", key=True)
    )


def _make_bindings(op: Operations) -> None:
    _make_folded(
        op,
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
    held = "state <> 'released'"
    _make_folded_index(
        op, "bindings_target", "bindings", "entity", "target_key", unique=True, where=held
    )
    _make_folded(
        op,
        "binding_history",
        _text("entity", key=True),
        _text("source_id", key=True),
        _number("position", key=True),
        _text("target_id"),
        _text("target_key"),
        _text("state"),
    )
    _make_folded_index(op, "binding_history_target", "binding_history", "target_key")


def _make_moment(op: Operations) -> None:
    op.create_table(
        "leases",
        _number("ledger", key=True),
        _text("lane", key=True),
        _text("host"),
        _number("epoch"),
        _seconds("until_seconds"),
    )
    op.create_table("epochs", _number("ledger", key=True), _number("epoch"))
    _make_folded(
        op,
        "wakes",
        _text("kind", key=True),
        _text("entity", key=True),
        _text("name", key=True),
        _text("after_operation"),
        _number("after_number"),
    )
    op.create_table(
        "sightings", _number("ledger", key=True), _text("key", key=True), _number("count")
    )
    op.create_table("inbox", _serial("number"), _number("ledger"), _bytes("prepared"))


_ON_SQLITE = tuple(
    f"CREATE TRIGGER events_refuse_{change} BEFORE {change} ON events "
    f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    for change in ("update", "delete")
)
_ON_POSTGRESQL = (
    f"""CREATE FUNCTION events_refuse_change() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$""",
    """CREATE TRIGGER events_refuse_change BEFORE UPDATE OR DELETE ON events
    FOR EACH ROW EXECUTE FUNCTION events_refuse_change()""",
    """CREATE TRIGGER events_refuse_truncate BEFORE TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION events_refuse_change()""",
)
_TRIGGERS = {"sqlite": _ON_SQLITE, "postgresql": _ON_POSTGRESQL}
