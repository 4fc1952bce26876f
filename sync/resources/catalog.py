"""The catalogue: every entity, every type of source event, and the check of what comes in."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from ledger.reference import Json
from sync.resources.certificate import CERTIFICATE, REVOCATION
from sync.resources.cohort import COHORT
from sync.resources.course import COURSE
from sync.resources.course_module import COURSE_MODULE
from sync.resources.definition import Fault, Kind, Resource
from sync.resources.enrollment import ENROLLMENT
from sync.resources.fields import Field, read
from sync.resources.institution import INSTITUTION
from sync.resources.module import MODULE
from sync.resources.module_group import MODULE_GROUP
from sync.resources.organization import ORGANIZATION
from sync.resources.student import STUDENT
from sync.resources.values import id_fault, is_email_like

_IN_ORDER = (
    INSTITUTION,
    ORGANIZATION,
    COURSE,
    MODULE,
    MODULE_GROUP,
    COURSE_MODULE,
    COHORT,
    STUDENT,
    ENROLLMENT,
    CERTIFICATE,
)

RESOURCES: Mapping[str, Resource] = MappingProxyType({each.entity: each for each in _IN_ORDER})
"""Every entity's resource, by its name."""

ORDER: tuple[str, ...] = tuple(RESOURCES)
"""The entities, each after everything that it refers to."""


@dataclass(frozen=True, slots=True)
class EventType:
    """What a type of source event is about, and the fields that its data must have."""

    resource: Resource
    kind: Kind
    fields: tuple[Field, ...] | None
    """`None` where no data may come."""


def _event_types() -> dict[str, EventType]:
    types: dict[str, EventType] = {}
    for each in _IN_ORDER:
        if each is not CERTIFICATE:
            types[f"{each.entity}.upserted"] = EventType(each, Kind.UPSERT, each.fields)
            types[f"{each.entity}.removed"] = EventType(each, Kind.RETIRE, None)
    types["certificate.requested"] = EventType(CERTIFICATE, Kind.ISSUE, CERTIFICATE.fields)
    types["certificate.revoked"] = EventType(CERTIFICATE, Kind.REVOKE, REVOCATION)
    return types


EVENT_TYPES: Mapping[str, EventType] = MappingProxyType(_event_types())
"""Every type of source event that is taken."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check made of an event: its kept data, or everything that is wrong with it."""

    entity: str
    """What the event is about; "" when its type is unknown."""
    kind: Kind | None
    """What it asks for; `None` when its type is unknown."""
    data: Mapping[str, Json] | None = field(repr=False)
    """The kept form of the data; `None` for removals and whenever there is a fault."""
    faults: tuple[Fault, ...] = ()

    @property
    def is_accepted(self) -> bool:
        """Whether nothing is wrong with the event."""
        return not self.faults


def resource(entity: str) -> Resource:
    """Return the resource of an entity."""
    return RESOURCES[entity]


def check(
    event_type: object, subject: object, data: object, *, allow_email_ids: bool = False
) -> Checked:
    """Return an event's data in its kept form, or every fault at once."""
    subject_faults = check_subject(subject, allow_email_ids=allow_email_ids)
    known = EVENT_TYPES.get(event_type) if isinstance(event_type, str) else None
    if known is None:
        fault = Fault("type", "unknown", f"must be one of {', '.join(EVENT_TYPES)}")
        return Checked("", None, None, (fault, *subject_faults))
    kept, data_faults = _check_data(known, data, allow_email_ids=allow_email_ids)
    faults = subject_faults + data_faults
    return Checked(known.resource.entity, known.kind, None if faults else kept, faults)


def check_subject(subject: object, *, allow_email_ids: bool = False) -> tuple[Fault, ...]:
    """Return why a subject cannot be a record's lasting name, or nothing."""
    fault = id_fault(subject)
    if fault is not None:
        return (replace(fault, field="subject"),)
    if not allow_email_ids and is_email_like(str(subject)):
        message = "must not look like an e-mail address: it is kept for ever; use a pseudonym"
        return (Fault("subject", "email_like", message),)
    return ()


def _check_data(
    known: EventType, data: object, *, allow_email_ids: bool
) -> tuple[Mapping[str, Json] | None, tuple[Fault, ...]]:
    if known.fields is None:
        fault = Fault("data", "unexpected", "must be left out: a removal names its record only")
        return None, () if data is None or data == {} else (fault,)
    if data is None:
        return None, (Fault("data", "required", "must hold the whole new state of the record"),)
    if not isinstance(data, Mapping):
        return None, (Fault("data", "type", "must be an object"),)
    kept, faults = read(known.fields, data, allow_email_ids=allow_email_ids)
    # A rule between fields speaks of what could be read; the rest has its fault already.
    named = {fault.field for fault in faults}
    rules = known.resource.rules(kept) if known.fields is known.resource.fields else ()
    return kept, (*faults, *(fault for fault in rules if fault.field not in named))
