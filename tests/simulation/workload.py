"""Source events of a small university over time, drawn from a seed.

Every state carries a version in a field of its own, and every record can be told by something that
DokStamp stores (`marks.py`), so that a checker needs neither our mapping nor our tables.
"""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

SOURCE = "urn:sis:simulated"
Event = dict[str, Any]
Name = tuple[str, str]
FIRST_DAY = date(2020, 1, 1)
REFERENCES = {
    "institution_id": "institution",
    "organization_id": "organization",
    "course_id": "course",
    "module_id": "module",
    "module_group_id": "module_group",
    "cohort_id": "cohort",
    "student_id": "student",
    "enrollment_id": "enrollment",
}


@dataclass(slots=True)
class Record:
    """One source record as its system has it now."""

    name: Name
    data: Event = field(repr=False)
    version: int = 1
    is_removed: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """One source event, and whether it may arrive out of its turn."""

    event: Event = field(repr=False)
    may_move: bool = False
    is_again: bool = False
    """Whether it repeats an earlier event, id included."""


def content(subject: str) -> bytes:
    """Return the document of a certificate."""
    return f"%PDF-1.4\n% {subject}\n%%EOF\n".encode()


def day_of(number: int) -> str:
    """Return the day that stands for a number."""
    return (FIRST_DAY + timedelta(days=number)).isoformat()


class University:
    """Changes a university step by step and tells every change as an event."""

    def __init__(self, rng: Random, *, has_sequences: bool) -> None:
        self._rng = rng
        self._has_sequences = has_sequences
        self._counts: dict[str, int] = {}
        self._sequences: dict[Name, int] = {}
        self.records: dict[Name, Record] = {}
        self.told: list[Told] = []
        self.certified: set[str] = set()
        """Enrollments that a certificate names."""

    def pick(self, entity: str, *, removed: bool = False) -> Record | None:
        """Return one of the records of an entity that can be changed now."""
        fit = [
            each
            for each in self.records.values()
            if each.name[0] == entity and each.is_removed == removed and self.is_clear(each)
        ]
        return self._rng.choice(fit) if fit else None

    def is_clear(self, record: Record) -> bool:
        """Tell whether everything that a record names is there."""
        named = [
            (REFERENCES[key], str(value)) for key, value in record.data.items() if key in REFERENCES
        ]
        return all(not self.records[name].is_removed for name in named if name in self.records)

    def number(self, entity: str) -> int:
        """Return the number of the next record of an entity."""
        self._counts[entity] = self._counts.get(entity, 0) + 1
        return self._counts[entity]

    def make(self, entity: str, subject: str, data: Event) -> Record:
        """Tell of a new record."""
        record = Record((entity, subject), data)
        self.records[record.name] = record
        self.state(record)
        return record

    def state(self, record: Record) -> None:
        """Tell the record's state."""
        data = {**record.data, **_versioned(record)}
        self.tell(f"{record.name[0]}.upserted", record.name[1], data, may_move=True)

    def change(self, record: Record, **data: Any) -> None:
        """Change fields of a record and tell its new state; `None` takes a field away."""
        record.version += 1
        record.data = {**record.data, **data}
        record.data = {key: value for key, value in record.data.items() if value is not None}
        self.state(record)

    def remove(self, record: Record) -> None:
        """Tell that a record is gone."""
        record.is_removed = True
        self.tell(f"{record.name[0]}.removed", record.name[1])

    def come_back(self, record: Record) -> None:
        """Tell that a record is there again."""
        record.is_removed = False
        record.version += 1
        data = {**record.data, **_versioned(record)}
        self.tell(f"{record.name[0]}.upserted", record.name[1], data)

    def tell(
        self, kind: str, subject: str, data: Event | None = None, *, may_move: bool = False
    ) -> None:
        """Add an event."""
        name = (kind.partition(".")[0], subject)
        event: Event = {
            "specversion": "1.0",
            "id": f"e-{len(self.told) + 1}",
            "source": SOURCE,
            "type": kind,
            "subject": subject,
        }
        if data is not None:
            event["data"] = data
        if self._has_sequences:
            event["sequence"] = self._sequences[name] = self._sequences.get(name, 0) + 1
        self.told.append(Told(event, may_move=may_move))

    def chance(self, share: float) -> bool:
        """Throw the dice."""
        return self._rng.random() < share

    def choose(self, *values: Any) -> Any:
        """Return one of the values."""
        return self._rng.choice(values)


def _versioned(record: Record) -> Event:
    entity, subject = record.name
    version = record.version
    table: dict[str, Callable[[], Event]] = {
        "module_group": lambda: {"order": version},
        "course_module": lambda: {"order": version},
        "cohort": lambda: {"start_date": f"{day_of(version)}T00:00:00Z"},
        "enrollment": lambda: {"grade": f"{version / 100:.2f}"},
    }
    usual = {"name": f"{entity.title()} {subject} v{version}"}
    return table[entity]() if entity in table else usual


def document(subject: str) -> Event:
    """Return the document of a certificate as an event brings it."""
    return {"content_base64": b64encode(content(subject)).decode()}
