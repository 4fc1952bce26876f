"""How a record of the practice service is told by what it stores: which source record, which state.

Independent of `sync.resources` and of our mapping.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Any, Final

from tests.simulation.workload import FIRST_DAY, Event, Name, content
from tests.sync.system.truth import TABLES, Row

_NAMED: Final = re.compile(r"^\S+ (\S+) v(\d+)$")
_GROUP: Final = re.compile(r"^Group (\S+)$")


def named(text: object) -> tuple[str, int] | None:
    """Return the source id and the version that a name holds."""
    found = _NAMED.match(str(text))
    return (found[1], int(found[2])) if found else None


def group_subject(text: object) -> str | None:
    """Return the source id that a group's name holds."""
    found = _GROUP.match(str(text))
    return found[1] if found else None


def day_number(value: object) -> int | None:
    """Return the number that a day stands for."""
    try:
        return (date.fromisoformat(str(value)[:10]) - FIRST_DAY).days
    except ValueError:
        return None


def version_of(entity: str, values: Mapping[str, Any]) -> int | None:
    """Return the version that a row or a request's body shows."""
    match entity:
        case "module_group" | "course_module":
            order = values.get("order")
            return int(order) if order is not None else None
        case "cohort":
            return day_number(values.get("start_date")) if values.get("start_date") else None
        case "enrollment":
            grade = values.get("grade")
            return None if grade is None else int(Decimal(str(grade)) * 100)
        case _:
            found = named(values.get("name"))
            return found[1] if found else None


class Identities:
    """Tells for every stored row which source record it stands for."""

    def __init__(
        self, pasts: Mapping[Name, Sequence[Event]], store_rows: Callable[[str], Sequence[Row]]
    ) -> None:
        self._pasts = pasts
        self._rows = store_rows
        self.names: dict[str, Name] = {}
        self.uuids: dict[Name, list[str]] = {}
        self.strays: list[str] = []
        self.rows: dict[str, Row] = {}
        self._by_day: dict[int | None, Name] = {
            day_number(states[-1]["enrolled_at"]): name
            for name, states in pasts.items()
            if name[0] == "enrollment"
        }
        self._by_file: dict[str, Name] = {
            sha256(content(name[1])).hexdigest(): name for name in pasts if name[0] == "certificate"
        }
        self._files = {str(row["uuid"]): str(row["sha256"]) for row in store_rows("files")}
        for entity in TABLES:
            self._identify(entity)

    def _identify(self, entity: str) -> None:
        for row in self._rows(TABLES[entity]):
            name, uuid = self._name(entity, row), str(row["uuid"])
            is_live = row["deleted_at"] is None
            if name is None or name not in self._pasts:
                if is_live:
                    self.strays.append(f"{entity} {uuid}")
                continue
            self.names[uuid], self.rows[uuid] = name, row
            if is_live:
                self.uuids.setdefault(name, []).append(uuid)

    def _name(self, entity: str, row: Row) -> Name | None:
        match entity:
            case "module_group":
                subject = group_subject(row["name"])
            case "cohort":
                subject = str(row["code"])
            case "enrollment":
                return self._by_day.get(day_number(row["enrolled_at"]))
            case "certificate":
                return self._by_file.get(self._files.get(str(row["file_uuid"]), ""))
            case "course_module":
                return self._attachment(row)
            case _:
                found = named(row["name"])
                subject = found[0] if found else None
        return None if subject is None else (entity, subject)

    def _attachment(self, row: Row) -> Name | None:
        fits = self.attachments(str(row["course_uuid"]), str(row["module_uuid"]))
        return fits[0] if fits else None

    def attachments(
        self, course_uuid: str, module_uuid: str, version: int | None = None
    ) -> tuple[Name, ...]:
        """Return the attachments that these two are or ever were, by their last state first.

        With a version, only those that had it there.
        """
        course, module = (self.names.get(each, ("", ""))[1] for each in (course_uuid, module_uuid))
        fits = [
            (states[-1]["course_id"] != course, name)
            for name, states in self._pasts.items()
            if name[0] == "course_module"
            and any(
                (s["course_id"], s["module_id"]) == (course, module)
                and version in {None, s["order"]}
                for s in states
            )
        ]
        return tuple(name for _, name in sorted(fits))

    def told_by(self, entity: str, body: Mapping[str, Any]) -> Name | None:
        """Return the record that a request's body tells of by itself."""
        match entity:
            case "module_group":
                subject = group_subject(body.get("name"))
            case "cohort":
                subject = str(body.get("code"))
            case "enrollment":
                return self._by_day.get(day_number(body.get("enrolled_at")))
            case "certificate":
                return self._by_file.get(self._files.get(str(body.get("file_uuid")), ""))
            case _:
                found = named(body.get("name"))
                subject = found[0] if found else None
        return (
            None if subject is None or (entity, subject) not in self._pasts else (entity, subject)
        )


def is_same(wanted: object, stored: object) -> bool:
    """Tell whether two values say the same, however they are written."""
    if wanted == stored:
        return True
    return any(
        (first := _read(reading, wanted)) is not None and first == _read(reading, stored)
        for reading in _READINGS
    )


def _moment(value: object) -> object:
    moment = datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_READINGS: Final[Iterable[Callable[[object], object]]] = (
    lambda value: Decimal(str(value)),
    _moment,
)


def _read(reading: Callable[[object], object], value: object) -> object:
    try:
        return reading(value)
    except (ValueError, InvalidOperation):
        return None
