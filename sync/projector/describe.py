"""What a source event says about its record, reduced to what the ledger may keep in the clear."""

from collections.abc import Callable

from ledger.log.event import Event
from ledger.outbox.fold_store import Cause
from ledger.outbox.record_store import Facts, Named
from ledger.reference import Json
from sync.resources import EVENT_TYPES, Kind, Resource

Digest = Callable[..., bytes]
"""A keyed digest over byte strings: the same parts give the same digest, and only to us."""

LANE_BYTES = 16


def describe(event: Event, *, digest: Digest) -> Facts:
    """Return the references, key digest and lane of an event's record."""
    event_type = EVENT_TYPES.get(event.type)
    if event_type is None or event.subject is None:
        return Facts()
    if event_type.kind in {Kind.RETIRE, Kind.REVOKE} or event.data is None:
        return Facts(removes=True)
    return _of_state(event_type.resource, event.subject.source_id, dict(event.data), digest=digest)


def cause_of(event: Event, *, digest: Digest) -> Cause:
    """Return a source event as the fold of its plan takes it."""
    assert event.subject is not None, "source events have a subject"
    return Cause(
        position=event.position,
        reference=event.subject,
        source=event.source,
        sequence=event.sequence,
        facts=describe(event, digest=digest),
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
        returns=resource.entity != "certificate",
    )
