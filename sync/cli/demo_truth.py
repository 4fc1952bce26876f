"""What the practice DokStamp itself holds of the sample university: what is lost, what is double.

Every expected record is looked for by what it says of itself, never through the ledger's mapping,
so that a wrong mapping cannot hide behind itself.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from sync.cli.sample_university import COUNTS, Event
from sync.simulator import Simulator

Row = Mapping[str, Any]
Name = tuple[str, str]

# Of every entity: its table, and what tells one of its records from another.
_KEYS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = MappingProxyType(
    {
        "institution": ("institutions", ("tax_id",)),
        "organization": ("organizations", ("institution_id", "code")),
        "course": ("courses", ("institution_id", "code")),
        "module": ("modules", ("institution_id", "code")),
        "module_group": ("module_groups", ("course_id", "name")),
        "course_module": ("attachments", ("course_id", "module_id")),
        "cohort": ("cohorts", ("course_id", "code")),
        "student": ("students", ("email", "date_of_birth")),
        "enrollment": ("enrollments", ("student_id", "course_id")),
        "certificate": ("certificates", ("student_id", "course_id")),
    }
)
_EXPECTED: Final[Mapping[str, str]] = MappingProxyType(
    {"course": "active", "certificate": "issued", "institution": "active"}
)


@dataclass(frozen=True, slots=True)
class Found:
    """What stands in the practice DokStamp, compared with what the events asked for."""

    counts: Mapping[str, int]
    """How many records of each entity stand there."""
    wanted: Mapping[str, int]
    """How many should."""
    lost: int
    """Expected records that are not there, or not in the state they should be in."""
    duplicates: int
    faults: Mapping[str, int]
    """What else the practice DokStamp has against its callers."""


@dataclass(slots=True)
class _Search:
    simulator: Simulator
    uuids: dict[Name, str] = field(default_factory=dict)
    lost: int = 0

    def look_for(self, entity: str, wanted: Mapping[str, Event]) -> None:
        """Find the record of every source record of an entity."""
        table, columns = _KEYS[entity]
        names = tuple(_column(column) for column in columns)
        rows = {tuple(row[name] for name in names): row for row in self.simulator.records(table)}
        for source_id, data in wanted.items():
            row = rows.get(tuple(self._value(column, data) for column in columns))
            if row is None or not _is_as_wanted(entity, data, row):
                self.lost += 1
            else:
                self.uuids[entity, source_id] = str(row["uuid"])

    def _value(self, column: str, data: Event) -> object:
        entity, is_reference, _ = column.rpartition("_id")
        if not is_reference or column == "tax_id":
            return data[column]
        return self.uuids.get((entity, data[column]), "")


def look(simulator: Simulator, events: Iterable[Event]) -> Found:
    """Return what stands in the practice DokStamp after these events."""
    wanted = _fold(events)
    search = _Search(simulator)
    for entity in COUNTS:
        search.look_for(entity, wanted[entity])
    verdict = simulator.verdict()
    counts = {entity: len(simulator.records(_KEYS[entity][0])) for entity in COUNTS}
    surplus = {
        _KEYS[entity][0]: max(0, count - len(wanted[entity])) for entity, count in counts.items()
    }
    # Two records of one key are double, and so is one that nobody asked for.
    doubles = Counter(verdict.duplicates) | Counter(surplus)
    return Found(
        counts=counts,
        wanted={entity: len(records) for entity, records in wanted.items()},
        lost=search.lost,
        duplicates=doubles.total(),
        faults=verdict.faults,
    )


def _fold(events: Iterable[Event]) -> dict[str, dict[str, Event]]:
    """Return the last state that the events tell of each record."""
    wanted: dict[str, dict[str, Event]] = {entity: {} for entity in COUNTS}
    for event in events:
        entity, _, what = event["type"].partition(".")
        records, source_id = wanted[entity], event["subject"]
        if what in _ENDED:
            records[source_id] = {**records[source_id], "status": _ENDED[what]}
        else:
            records[source_id] = event["data"]
    return wanted


_ENDED: Final[Mapping[str, str]] = MappingProxyType({"removed": "archived", "revoked": "revoked"})


def _is_as_wanted(entity: str, data: Event, row: Row) -> bool:
    if entity not in _EXPECTED:
        return True
    return bool(row["status"] == data.get("status", _EXPECTED[entity]))


def _column(name: str) -> str:
    is_reference = name.endswith("_id") and name != "tax_id"
    return f"{name.removesuffix('_id')}_uuid" if is_reference else name
