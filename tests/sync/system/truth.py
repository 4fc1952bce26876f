"""What must stand in DokStamp after these events: an independent reading of the contract.

Nothing here is taken from `sync.resources`, so that one misreading cannot hide in both.
"""

from base64 import b64decode
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from sync.simulator import Simulator
from tests.sync.system.university import Event, Told

Row = Mapping[str, Any]
TABLES = {
    "institution": "institutions",
    "organization": "organizations",
    "course": "courses",
    "module": "modules",
    "module_group": "module_groups",
    "course_module": "attachments",
    "cohort": "cohorts",
    "student": "students",
    "enrollment": "enrollments",
    "certificate": "certificates",
}
RETIRED: Mapping[str, Event] = {
    "institution": {"status": "inactive"},
    "course": {"status": "archived"},
    "module": {"is_active": False},
    "module_group": {"is_active": False},
    "enrollment": {"completion_status": "dropped"},
}
DEFAULTS: Mapping[str, Event] = {
    "institution": {"status": "active"},
    "course": {"status": "active"},
    "module": {"is_active": True},
    "module_group": {"is_active": True},
    "enrollment": {"completion_status": "enrolled"},
    "certificate": {"status": "issued"},
}
COLUMNS = {"module_group_id": "course_module_group_uuid"}
KEYS: Mapping[str, tuple[str, ...]] = {
    "institution": ("tax_id",),
    "organization": ("institution_id", "code"),
    "course": ("institution_id", "code"),
    "module": ("institution_id", "code"),
    "module_group": ("course_id", "name"),
    "course_module": ("course_id", "module_id"),
    "cohort": ("code",),
    "student": ("email",),
    "enrollment": ("student_id", "course_id"),
    "certificate": ("student_id", "course_id"),
}


@dataclass(slots=True)
class Wanted:
    """The last state of every record that the events tell of."""

    data: dict[tuple[str, str], Event] = field(default_factory=dict)
    removed: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    def after(cls, told: Iterable[Told]) -> "Wanted":
        """Fold events in their order."""
        wanted = cls()
        for event_type, subject, data in told:
            entity, _, what = event_type.partition(".")
            name = (entity, subject)
            if what == "removed":
                wanted.removed.add(name)
            elif what == "revoked":
                wanted.data[name] = {**wanted.data[name], "status": "revoked"}
            else:
                wanted.removed.discard(name)
                wanted.data[name] = dict(data or {})
        return wanted


class Truth:
    """Compares what is wanted with what a practice DokStamp truly holds."""

    def __init__(
        self, simulator: Simulator, told: Iterable[Told], *, strangers: Collection[str] = ()
    ) -> None:
        self._simulator = simulator
        self._strangers = strangers
        self._wanted = Wanted.after(told)
        self._uuids: dict[tuple[str, str], str] = {}
        self._files: dict[object, object] = {}
        self.faults: list[str] = []

    @property
    def uuids(self) -> Mapping[tuple[str, str], str]:
        """Which record stands for which source record, by what it says of itself."""
        return self._uuids

    def differences(self, *, except_for: Iterable[str] = ()) -> list[str]:
        """Tell everything that is missing, too much, or not as wanted."""
        passed_over = frozenset(except_for)
        for entity in TABLES:
            self._compare_entity(entity, passed_over)
        return self.faults

    def _compare_entity(self, entity: str, passed_over: frozenset[str]) -> None:
        rows = []
        for row in self._simulator.records(TABLES[entity]):
            if row["uuid"] not in self._strangers:
                rows.append(row)
            elif row["updated_at"] != row["created_at"]:
                self.faults.append(f"a stranger among {TABLES[entity]} was changed")
        found: set[str] = set()
        by_key: dict[tuple[str, ...], list[Row]] = {}
        for row in rows:
            by_key.setdefault(_key(row, [column_of(name) for name in KEYS[entity]]), []).append(row)
        for (kind, source_id), data in self._wanted.data.items():
            if kind != entity or source_id in passed_over:
                continue
            name = f"{entity} {source_id}"
            wanted = {key: self._value(key, data[key]) for key in KEYS[entity]}
            matches = by_key.get(_key(wanted, KEYS[entity]), [])
            if self._is_detached(entity, source_id, data):
                found |= {str(row["uuid"]) for row in matches}
                self.faults += [f"{name} is still attached" for _ in matches]
            elif len(matches) != 1:
                self.faults.append(f"{name} is there {len(matches)} times")
            else:
                uuid = str(matches[0]["uuid"])
                found.add(uuid)
                self._uuids[entity, source_id] = uuid
                self._compare(name, self._expected(entity, source_id, data), matches[0])
        strays = [row for row in rows if str(row["uuid"]) not in found]
        if strays and not passed_over:
            self.faults.append(f"{len(strays)} {TABLES[entity]} that nobody asked for")

    def _is_detached(self, entity: str, source_id: str, data: Event) -> bool:
        if entity != "course_module":
            return False
        gone = self._wanted.removed
        return (entity, source_id) in gone or ("module", data["module_id"]) in gone

    def _value(self, name: str, value: object) -> object:
        if name.endswith("_id") and name != "tax_id":
            return self._uuids.get((name.removesuffix("_id"), str(value)), f"no {name}")
        return value

    def _expected(self, entity: str, source_id: str, data: Event) -> Event:
        expected = {**DEFAULTS.get(entity, {}), **data}
        if (entity, source_id) in self._wanted.removed:
            expected |= RETIRED.get(entity, {})
        return expected

    def _compare(self, name: str, expected: Event, row: Row) -> None:
        for key, value in expected.items():
            if key == "document":
                self._compare_file(name, value, row)
                continue
            column = column_of(key)
            if not _same(self._value(key, value), row.get(column)):
                self.faults.append(f"{name}: {column} is {row.get(column)!r}, not {value!r}")
        for column, value in row.items():
            is_told = column in {column_of(key) for key in expected} or column in _OWN
            if not is_told and value not in {None, False}:
                self.faults.append(f"{name}: {column} is {value!r}, which nobody sent")

    def _compare_file(self, name: str, document: Event, row: Row) -> None:
        digest = sha256(b64decode(document["content_base64"])).hexdigest()
        if not self._files:
            self._files.update(
                (each["uuid"], each["sha256"]) for each in self._simulator.records("files")
            )
        if self._files.get(row["file_uuid"]) != digest:
            self.faults.append(f"{name}: its file is another one")


_OWN = frozenset(
    {
        *("uuid", "tenant", "created_at", "updated_at", "deleted_at", "snapshot", "file_uuid"),
        *("public_verification_url", "revoked_at", "revocation_reason"),
        *("workload", "is_required"),
    }
)
"""Columns that DokStamp fills by itself, an attachment's with what its module has."""


def column_of(name: str) -> str:
    """Return the column in which DokStamp keeps a field."""
    return COLUMNS.get(name) or (
        f"{name.removesuffix('_id')}_uuid" if name.endswith("_id") and name != "tax_id" else name
    )


def _key(row: Row, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in names)


def _same(wanted: object, stored: object) -> bool:
    return wanted == stored or any(
        _read(read, wanted) is not None and _read(read, wanted) == _read(read, stored)
        for read in _READINGS
    )


def _moment(value: object) -> object:
    moment = datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_READINGS: tuple[Callable[[object], object], ...] = (
    lambda value: Decimal(str(value)),
    _moment,
)


def _read(read: Callable[[object], object], value: object) -> object:
    try:
        return read(value)
    except (ValueError, ArithmeticError):
        return None
