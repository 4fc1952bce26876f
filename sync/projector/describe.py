"""What a source event says about its record, reduced to what the ledger may keep in the clear."""

from collections.abc import Callable
from dataclasses import replace

from ledger.log.event import Event
from ledger.outbox.fold_store import Cause
from ledger.outbox.plan import Plan
from ledger.outbox.record_store import Facts, Named
from ledger.reference import Json
from sync.resources import EVENT_TYPES, Kind, Resource

Digest = Callable[..., bytes]
"""A keyed digest over byte strings: the same parts give the same digest, and only to us."""

LANE_BYTES = 16


def describe(event: Event, *, digest: Digest, named: tuple[Named, ...] = ()) -> Facts:
    """Return the references, key digest and lane of an event's record.

    `named` is what the plan has on record of the references. Whether the record is removed
    follows from the event's type alone: a state that was erased is no removal.
    """
    event_type = EVENT_TYPES.get(event.type)
    if event_type is None or event.subject is None:
        return Facts()
    if event_type.kind in {Kind.RETIRE, Kind.REVOKE}:
        return Facts(removes=True)
    resource, source_id = event_type.resource, event.subject.source_id
    if event.data is None:
        return Facts(references=named, returns=_returns(resource))
    facts = _of_state(resource, source_id, dict(event.data), digest=digest)
    return replace(facts, references=named) if named else facts


def remember(event: Event, plan: Plan, *, digest: Digest) -> Plan:
    """Return the plan with what a later folding must know of an event that may be erased."""
    if not event.person or plan.parked or plan.late:
        return plan
    return replace(plan, named=describe(event, digest=digest).references)


def cause_of(event: Event, plan: Plan, *, digest: Digest) -> Cause:
    """Return a source event as the fold of its plan takes it.

    What an event of a person names is taken from the plan, after an erasure as before it.
    """
    assert event.subject is not None, "source events have a subject"
    return Cause(
        position=event.position,
        reference=event.subject,
        source=event.source,
        sequence=event.sequence,
        facts=describe(event, digest=digest, named=plan.named),
    )


def key_digest(natural_key: tuple[str, ...], *, digest: Digest) -> bytes:
    """Return the digest under which the holders of a natural key are found."""
    return digest(b"key", *(part.encode() for part in natural_key))


def _of_state(
    resource: Resource, source_id: str, data: dict[str, Json], *, digest: Digest
) -> Facts:
    claimed = resource.claimed_key(source_id, data)
    lane = digest(b"lane", *(part.encode() for part in resource.lane(source_id, data)))
    return Facts(
        references=tuple(Named(each.field, each.ref) for each in resource.references(data)),
        key_digests=() if claimed is None else (key_digest(claimed, digest=digest),),
        lane=lane[:LANE_BYTES].hex(),
        returns=_returns(resource),
    )


def _returns(resource: Resource) -> bool:
    return resource.entity != "certificate"
