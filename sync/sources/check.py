"""A candidate and its document become an event for the ledger, or a refusal with every reason."""

from collections.abc import Mapping
from typing import Final

from ledger.log.event import NewEvent
from ledger.reference import Json, SourceRef
from sync.resources import catalog
from sync.resources.definition import Fault
from sync.sources.envelope import Candidate
from sync.sources.item import Checked, Document, Refused

# Stands for a document whose own fault is reported already, so that it is reported once.
_PLACEHOLDER: Final = "0" * 64


def check(
    candidate: Candidate,
    *,
    raw: bytes,
    document: Document | Fault | None = None,
    faults: tuple[Fault, ...] = (),
    allow_email_ids: bool = False,
) -> Checked | Refused:
    """Return the event if neither envelope nor data nor document has a fault."""
    found = [*candidate.faults, *faults]
    if isinstance(document, Fault):
        found.append(document)
    if not candidate.type:
        return refuse(candidate, found, raw=raw)
    checked = catalog.check(
        candidate.type,
        candidate.subject,
        _data(candidate, document),
        allow_email_ids=allow_email_ids,
    )
    known = {fault.field for fault in found}
    found.extend(fault for fault in checked.faults if fault.field not in known)
    if found:
        return refuse(candidate, found, raw=raw)
    return Checked(_event(candidate, checked), document if isinstance(document, Document) else None)


def refuse(candidate: Candidate, faults: list[Fault], *, raw: bytes) -> Refused:
    """Return the refusal of a candidate, with what is known and safe to show of it."""
    return Refused(
        tuple(faults),
        id=candidate.id,
        source=candidate.source,
        type=candidate.type,
        subject=candidate.subject,
        raw=raw,
    )


def _data(candidate: Candidate, document: Document | Fault | None) -> object:
    """Return the data as the catalogue knows it: a document is named by its digest."""
    if document is None or not isinstance(candidate.data, Mapping):
        return candidate.data
    digest = document.sha256 if isinstance(document, Document) else _PLACEHOLDER
    return {**candidate.data, "document": {"sha256": digest}}


def _event(candidate: Candidate, checked: catalog.Checked) -> NewEvent:
    private: dict[str, Json] = {}
    if checked.data is not None:
        private["data"] = dict(checked.data)
    if candidate.actor is not None:
        private["actor"] = candidate.actor
    resource = catalog.resource(checked.entity)
    return NewEvent(
        source=candidate.source,
        id=candidate.id,
        type=candidate.type,
        subject=SourceRef(checked.entity, candidate.subject),
        time=candidate.time,
        private=private or None,
        person=resource.person(candidate.subject, checked.data or {}),
        inherits_person=resource.is_personal,
        sequence=candidate.sequence,
        traceparent=candidate.traceparent,
    )
