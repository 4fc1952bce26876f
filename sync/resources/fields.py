"""Field tables: a row for each field of an entity, and everything that is read off the table."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from ledger.reference import Json, SourceRef, TargetId, same_target
from sync.resources.values import Fault, Form, Link, Value, is_email_like

Data = Mapping[str, Json]
Row = Mapping[str, object]
Targets = Mapping[SourceRef, TargetId]

_UNKNOWN_MAX = 20
_NAME_MAX = 64
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name on both sides, its form, and how it behaves when things change."""

    name: str
    form: Form
    remote_name: str = ""
    """DokStamp's name of it where it differs; a link's is `<entity>_uuid` unless told."""
    is_required: bool = False
    is_parent: bool = False
    """Whether it may never change once sent (design 5: a changed parent is held)."""
    is_sent: bool = True
    """Whether bodies carry it; what the path names, or the upload brings, they do not."""
    default: Json = None
    """What is sent, explicitly, when the source gives no value."""
    assumed: Json = None
    """What a source means that gives no value (events.md)."""
    cleared: Json = None
    """What is sent when a value sent before has disappeared and there is no `default`."""
    untouchable: frozenset[Json] = frozenset()
    """Values that only DokStamp sets and that are never overwritten."""

    @property
    def remote(self) -> str:
        """DokStamp's name of the field."""
        if self.remote_name:
            return self.remote_name
        return self.name.removesuffix("_id") + "_uuid" if self.refers_to else self.name

    @property
    def refers_to(self) -> str | None:
        """The entity whose source id it holds, if it is a link."""
        return self.form.entity if isinstance(self.form, Link) else None

    def reference(self, data: Data) -> SourceRef | None:
        """Return the record that this field names, if it names one."""
        value = data.get(self.name)
        return SourceRef(self.refers_to, str(value)) if self.refers_to and value else None

    def effective(self, data: Data) -> Json:
        """Return the value that a state amounts to, its default included."""
        value = data.get(self.name)
        return self.default if value is None else value

    def sendable(self, value: Json, targets: Targets) -> Value:
        """Return a kept value as a request carries it, links as uuids."""
        if self.refers_to and value is not None:
            return targets[SourceRef(self.refers_to, str(value))]
        return self.form.send(value)

    def is_in(self, row: Row) -> bool:
        """Tell whether a row mentions the field, be it only to say that there is no value."""
        return self.remote in row or self.remote.removesuffix("_uuid") in row

    def shown(self, row: Row) -> Json:
        """Return the kept form of what a row shows; a link's uuid, nested or not."""
        value = row.get(self.remote)
        if value is None and self.remote.endswith("_uuid"):
            nested = row.get(self.remote.removesuffix("_uuid"))
            value = nested.get("uuid") if isinstance(nested, Mapping) else None
        return self.form.recall(value)

    def agrees(self, value: Json, row: Row, targets: Targets) -> bool:
        """Tell whether a row shows this value, whatever format it is shown in."""
        shown = self.shown(row)
        if value is None or shown is None:
            return value is shown
        if self.refers_to:
            target = targets.get(SourceRef(self.refers_to, str(value)))
            return target is not None and same_target(target, TargetId(str(shown)))
        return self.form.same(value, shown)


def read(
    fields: tuple[Field, ...], raw: Mapping[str, object], *, allow_email_ids: bool
) -> tuple[dict[str, Json], tuple[Fault, ...]]:
    """Return the kept form of a source's data, and everything that is wrong with it."""
    data: dict[str, Json] = {}
    faults = list(_unknown(fields, raw))
    for field in fields:
        value = _read_one(field, raw.get(field.name), allow_email_ids=allow_email_ids)
        if isinstance(value, Fault):
            path = f"data.{field.name}" + (f".{value.field}" if value.field else "")
            faults.append(replace(value, field=path))
        elif value is not None:
            data[field.name] = value
    return data, tuple(faults)


def _read_one(field: Field, raw: object, *, allow_email_ids: bool) -> Json | Fault:
    value = None if raw is None else field.form.read(raw)
    if value is None and field.is_required:
        return Fault("", "required", "is required and must not be blank")
    if value is None:
        return field.assumed
    if field.refers_to and isinstance(value, str) and not allow_email_ids and is_email_like(value):
        return Fault("", "email_like", "must not look like an e-mail address; name a pseudonym")
    return value


def _unknown(fields: tuple[Field, ...], raw: Mapping[str, object]) -> Iterable[Fault]:
    known = [field.name for field in fields]
    unknown = [name for name in raw if name not in known]
    message = f"is not a field; the fields are {', '.join(known)}"
    for name in unknown[:_UNKNOWN_MAX]:
        # A name may be somebody's data as well: an object keyed by addresses, say.
        yield Fault("data", "unknown", message, named=_printable(name))


def _printable(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in str(name)[:_NAME_MAX])


def send_all(fields: tuple[Field, ...], data: Data, targets: Targets) -> dict[str, Value]:
    """Return the body that makes the whole record, defaults spelled out."""
    values = ((field, field.effective(data)) for field in fields if field.is_sent)
    return {field.remote: field.sendable(v, targets) for field, v in values if v is not None}


def send_changes(
    fields: tuple[Field, ...], wanted: Data, sent: Data, targets: Targets
) -> dict[str, Value]:
    """Return the body that brings what was sent to what is wanted."""
    body: dict[str, Value] = {}
    for field in fields:
        before, after = field.effective(sent), field.effective(wanted)
        is_same = before is after or (
            None not in (before, after) and field.form.same(before, after)
        )
        if not (field.is_parent or is_same):
            body[field.remote] = field.sendable(_or(after, field.cleared), targets)
    return body


def send_differences(
    fields: tuple[Field, ...], wanted: Data, row: Row, targets: Targets
) -> dict[str, Value]:
    """Return the body that brings a row to what is wanted; what is not wanted is left alone."""
    body: dict[str, Value] = {}
    for field in fields:
        value = wanted.get(field.name)
        is_settled = value is None or field.is_parent or not field.is_sent
        if is_settled or field.agrees(value, row, targets):
            continue
        if field.shown(row) not in field.untouchable:
            body[field.remote] = field.sendable(value, targets)
    return body


def _or(value: _T, otherwise: _T) -> _T:
    return otherwise if value is None else value
