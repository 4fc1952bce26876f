"""How a kind of record is described: its fields, keys, protection and answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sync.simulator.call import Call
from sync.simulator.message import JsonObject
from sync.simulator.refusal import Errors
from sync.simulator.switches import Switches
from sync.simulator.tables import Record, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field that callers may send."""

    name: str
    kind: str = "text"
    required: bool = False
    default: object = None
    maximum: int | None = None
    choices: tuple[str, ...] = ()
    # The table that a field of kind `reference` points into.
    table: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unique:
    """Columns that may not all repeat; the last one must be indexed."""

    columns: tuple[str, ...]
    error: str
    # Whether a missing value counts as a value like any other.
    counts_null: bool = False
    is_case_blind: bool = False
    # Narrows the rule to records of these states, when not empty.
    statuses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependant:
    """A column of another table that protects this record from deletion."""

    table: str
    column: str
    # Set for snapshots, which outlive the certificate they were taken for.
    counts_deleted_with: str = ""


def no_rules(_switches: Switches) -> tuple[Unique, ...]:
    """Return that nothing has to be unique."""
    return ()


def no_check(_call: Call, _values: Mapping[str, object]) -> Errors:
    """Return that nothing more is wrong."""
    return {}


def no_follow_up(_call: Call, _record: Record) -> None:
    """Do nothing after a write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One kind of record."""

    table: str
    fields: tuple[Field, ...]
    present: Callable[[Call, Record], JsonObject]
    # References that fix where a record belongs; an update has no business sending them.
    parents: frozenset[str] = frozenset()
    unique: Callable[[Switches], tuple[Unique, ...]] = no_rules
    dependants: tuple[Dependant, ...] = ()
    check: Callable[[Call, Mapping[str, object]], Errors] = no_check
    follow_up: Callable[[Call, Record], None] = no_follow_up
    # Stored columns beyond the fields, and those beyond the references that have an index.
    columns: tuple[str, ...] = ()
    indexed: tuple[str, ...] = ()
    by_name: dict[str, Field] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.by_name.update({item.name: item for item in self.fields})

    def make_table(self) -> Table:
        """Return an empty table for these records."""
        references = [item.name for item in self.fields if item.kind == "reference"]
        return Table(self.table, indexed=(*references, *self.indexed))

    def knows_column(self, name: str) -> bool:
        """Tell whether lists can be filtered and sorted by this column."""
        return name in self.by_name or name in self.columns or name in _COMMON_COLUMNS


_COMMON_COLUMNS = frozenset({"uuid", "created_at", "updated_at"})


def brief(call: Call, table: str, uuid: object, label: str = "name") -> JsonObject | None:
    """Return the short form in which one record names another."""
    record = call.store.table(table).get(uuid) if isinstance(uuid, str) else None
    return None if record is None else {"uuid": record.uuid, label: record.values.get(label)}
