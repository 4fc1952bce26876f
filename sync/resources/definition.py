"""What a resource is: one entity's fields, keys, dependencies, payload and retirement, as data."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from ledger.reference import Json, SourceRef
from ledger.subjects.name import name_of
from sync.resources import fields as table
from sync.resources.fields import Data, Field, Row, Targets
from sync.resources.former import Former, former_keys
from sync.resources.values import Fault, Value

__all__ = ["Agreement", "Fault", "Kind", "Match", "Reference", "Resource", "Value"]


class Kind(StrEnum):
    """What an operation wants to happen to its record."""

    UPSERT = "upsert"
    RETIRE = "retire"
    ISSUE = "issue"
    REVOKE = "revoke"
    RECHECK = "recheck"
    """Nothing at all: what an unclear request may have made late is looked for once more."""


class Match(StrEnum):
    """Whether a remote row stands for a record; a conflict's value is its reason code."""

    SAME = "same"
    OTHER = "other"
    OTHER_COURSE = "code_under_another_course"
    """The cohort code is taken, under another course (API 11.7)."""
    OTHER_PERSON = "identity_differs"
    """The e-mail agrees, name or birth date do not: possibly the wrong person (API 11.8)."""
    NOT_SHOWN = "key_not_shown"
    """The row agrees as far as it goes, but does not show whose it is: unknown, not absent."""

    @property
    def is_conflict(self) -> bool:
        """Whether a person must decide; the reason code is the value."""
        return self not in {Match.SAME, Match.OTHER}


@dataclass(frozen=True, slots=True)
class Reference:
    """A record that another one names, and the field that names it."""

    field: str
    ref: SourceRef


@dataclass(frozen=True, slots=True)
class Agreement:
    """What must agree between the records that a record names, since DokStamp does not check."""

    link: str
    """The field that names the record looked at."""
    shared: str
    """The field of that record that is compared …"""
    through: str = ""
    """… with the same field of the record named here, or of the record itself."""


def _no_rules(_: Data) -> tuple[Fault, ...]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One entity, declared: everything that the other stages ask about it is read off this."""

    entity: str
    path: str
    """The collection's path; `{course_uuid}` stands for the course's uuid."""
    fields: tuple[Field, ...]
    keys: tuple[tuple[str, ...], ...] = ()
    """Natural keys, best first: the first that is complete counts, else the last."""
    is_key_unique: bool = False
    """Whether DokStamp itself refuses a second record with the best key (API 8)."""
    is_fallback_strict: bool = False
    """Whether a row that shows the best key is another record when only a later key is wanted."""
    identity: tuple[str, ...] = ()
    """Fields that must agree beyond the key, or else the match is `conflict`."""
    conflict: Match = Match.OTHER
    lane_key: tuple[str, ...] = ()
    """Name and fields of a lane that is coarser than the natural key."""
    person_field: str | None = None
    """The field naming the student whose data this is; `""` when the record is the student."""
    filtered: tuple[str, ...] | None = None
    """Fields to search by, where they are not the last field of the natural key."""
    retired: Mapping[str, Json] | None = None
    """The fields that retire the record; `None` when there is nothing to change."""
    complete: tuple[str, Json] | None = None
    """The field and value that make the record complete."""
    agreements: tuple[Agreement, ...] = ()
    rules: Callable[[Data], tuple[Fault, ...]] = _no_rules
    """What must hold between the fields of one record."""

    @property
    def parents(self) -> frozenset[str]:
        """The fields that may never change."""
        return frozenset(field.name for field in self.fields if field.is_parent)

    @property
    def is_personal(self) -> bool:
        """Whether its events belong to a student and are sealed under the student's key."""
        return self.person_field is not None

    def person(self, subject: str, data: Data | None) -> str:
        """Return whose key seals the event; "" for nobody's, or when the data do not tell.

        A removal or revocation names no student: its person is that of the record's earlier events.
        """
        if self.person_field is None:
            return ""
        student = (data or {}).get(self.person_field) if self.person_field else subject
        return name_of("student", str(student)) if student else ""

    def references(self, data: Data) -> tuple[Reference, ...]:
        """Return every record that this state names, in the order of the fields."""
        named = ((field.name, field.reference(data)) for field in self.fields)
        return tuple(Reference(name, ref) for name, ref in named if ref is not None)

    def natural_key(self, source_id: str, data: Data) -> tuple[str, ...] | None:  # noqa: ARG002 - one interface
        """Return what the record is found by, in source ids; `None` if by nothing."""
        key = self._key(data)
        if all(data.get(name) is None for name in key):
            return None
        # Two ways to be found must never collide.
        tag = (key[-1],) if len(self.keys) > 1 else ()
        values = tuple(self._field(name).form.key(data.get(name)) for name in key)
        return (self.entity, *values[:-1], *tag, values[-1])

    def claimed_key(self, source_id: str, data: Data) -> tuple[str, ...] | None:
        """Return the natural key if DokStamp lets only one record hold it, else `None`."""
        is_best = bool(self.keys) and self._key(data) == self.keys[0]
        return self.natural_key(source_id, data) if self.is_key_unique and is_best else None

    @property
    def is_person(self) -> bool:
        """Whether it is somebody itself, rather than about somebody."""
        return self.person_field == ""

    def formerly(self, data: Data, told: Iterable[Data]) -> tuple[Former, ...]:
        """Return each other key by which the record may be found, as was told of it before.

        Of persons only, whom name and birth date make known under any address (API 11.8). A code
        that a course no longer has may have been another's from the start.
        """
        if not self.is_person:
            return ()
        key = self.natural_key
        return former_keys(data, told, names=self.keys[0], key=lambda each: key("", each))

    def resembles(self, former: Former, row: Row, targets: Targets) -> bool:
        """Tell whether a row with a former key may be the record, though not all of it agrees.

        One field that is as it is told today, or was under that key, is enough. A row that shows
        no such field may be anybody's.
        """
        shown = [name for name in self.identity if self._field(name).shown(row) is not None]
        return not shown or any(
            self._compare(name, state, row, targets) is Match.SAME
            for name in shown
            for state in (former.state, *former.told)
        )

    def lane(self, source_id: str, data: Data) -> tuple[str, ...]:
        """Return what may be in only one conversation at a time.

        A removal or revocation is asked about with the record's last whole state.
        """
        record = (self.entity, "record", source_id)
        if not self.lane_key:
            return self.natural_key(source_id, data) or record
        name, *fields = self.lane_key
        is_known = all(data.get(field) is not None for field in fields)
        return (name, *(str(data[field]) for field in fields)) if is_known else record

    @property
    def is_nested(self) -> bool:
        """Whether the list lies under another record, and is gone when that one is."""
        return "{" in self.path

    @property
    def path_fields(self) -> tuple[str, ...]:
        """The fields that name the records under which the list lies."""
        return ("course_id",) if self.is_nested else ()

    def collection(self, data: Data, targets: Targets) -> str:
        """Return the path of the list that the record belongs to."""
        if not self.is_nested:
            return self.path
        return self.path.format(course_uuid=targets[SourceRef("course", str(data["course_id"]))])

    def body(self, data: Data, targets: Targets) -> dict[str, Value]:
        """Return the body that creates the record, its defaults spelled out."""
        return table.send_all(self.fields, data, targets)

    def changes(
        self, wanted: Data, sent: Data, targets: Targets, *, is_retired: bool = False
    ) -> dict[str, Value]:
        """Return the body that brings what was last sent, or its retirement, to what is wanted."""
        retired = self.retired or {}
        before = {**sent, **retired} if is_retired else sent
        return table.send_changes(self.fields, wanted, before, targets)

    def differences(self, wanted: Data, row: Row, targets: Targets) -> dict[str, Value]:
        """Return the body that brings a row, as DokStamp shows it, to what is wanted."""
        return table.send_differences(self.fields, wanted, row, targets)

    def filters(self, data: Data, targets: Targets) -> tuple[tuple[str, str], ...]:
        """Return columns and values to narrow a search by; every row still needs `match`."""
        names = self._key(data)[-1:] if self.filtered is None else self.filtered
        wanted = ((self._field(name), data.get(name)) for name in names)
        return tuple(
            (f.remote, str(f.sendable(value, targets))) for f, value in wanted if value is not None
        )

    def match(self, data: Data, row: Row, targets: Targets) -> Match:
        """Tell whether a row stands for the record, by its whole natural key."""
        if not self.keys or row.get("deleted_at") is not None:
            return Match.OTHER
        key = self._key(data)
        unwanted = self.keys[0][-1] if self.is_fallback_strict and key != self.keys[0] else None
        if unwanted and self._field(unwanted).shown(row) is not None:
            return Match.OTHER
        verdicts = {self._compare(name, data, row, targets) for name in key}
        if Match.NOT_SHOWN in verdicts:
            # A row that hides whose it is may hide its other links as well.
            shown = (n for n in key if not self._field(n).refers_to or self._field(n).is_in(row))
            verdicts = {Match.NOT_SHOWN, *(self._compare(n, data, row, targets) for n in shown)}
        if Match.OTHER in verdicts:
            return Match.OTHER
        beyond = {self._compare(name, data, row, targets) for name in self.identity}
        if Match.OTHER in beyond:
            return self.conflict
        return Match.NOT_SHOWN if Match.NOT_SHOWN in verdicts | beyond else Match.SAME

    def leaves_out(self, data: Data, row: Row) -> bool:
        """Tell whether a row does not mention something that it is matched by."""
        return any(not self._field(name).is_in(row) for name in (*self._key(data), *self.identity))

    def retired_body(self) -> dict[str, Json] | None:
        """Return the body that retires the record; `None` when there is nothing to call."""
        return None if self.retired is None else dict(self.retired)

    def is_complete(self, data: Data) -> bool:
        """Tell whether the state is a completed one, for which certificates may wait."""
        return self.complete is not None and data.get(self.complete[0]) == self.complete[1]

    def inconsistencies(self, data: Data, states: Mapping[SourceRef, Data]) -> tuple[Fault, ...]:
        """Return where the records named contradict one another; absent ones are skipped."""
        return tuple(
            Fault(
                f"data.{rule.link}",
                "inconsistent",
                f"names a record whose {rule.shared} is not that of this record's "
                f"{rule.through or rule.shared}; correct one of the two at the source",
            )
            for rule in self.agreements
            if self._is_broken(rule, data, states)
        )

    def _is_broken(self, rule: Agreement, data: Data, states: Mapping[SourceRef, Data]) -> bool:
        theirs = self._state(rule.link, data, states)
        ours = self._state(rule.through, data, states) if rule.through else data
        if theirs is None or ours is None:
            return False
        first, second = theirs.get(rule.shared), ours.get(rule.shared)
        return None not in (first, second) and first != second

    def _state(self, link: str, data: Data, states: Mapping[SourceRef, Data]) -> Data | None:
        reference = self._field(link).reference(data)
        return None if reference is None else states.get(reference)

    def _compare(self, name: str, data: Data, row: Row, targets: Targets) -> Match:
        field = self._field(name)
        if field.is_parent and field.refers_to and field.shown(row) is None:
            # What lies under the parent's own path need not repeat the parent.
            return Match.NOT_SHOWN if field.is_sent else Match.SAME
        if field.refers_to:
            is_alike = field.agrees(data.get(name), row, targets)
        else:
            is_alike = field.form.key(data.get(name)) == field.form.key(field.shown(row))
        return Match.SAME if is_alike else Match.OTHER

    def _key(self, data: Data) -> tuple[str, ...]:
        complete = (key for key in self.keys if all(data.get(name) is not None for name in key))
        return next(complete, self.keys[-1] if self.keys else ())

    def _field(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)
