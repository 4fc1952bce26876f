"""Reads from the ledger everything that a conversation may know about its operations."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ledger.ledger import Ledger
from ledger.log.event import NOBODY, Event
from ledger.mapping.binding import Binding, BindingState
from ledger.outbox.operation import Operation
from ledger.reference import Json, Position, SourceRef, TargetId
from ledger.subjects.subject_store import Doorkeeper
from sync.dispatcher.procedures.issue import FILE_FACT
from sync.dispatcher.snapshot_store import NAMEABLE, Snapshot, take, take_others, wanted_by
from sync.dispatcher.step import Work
from sync.resources import Kind, resource
from sync.resources.former import Former

_OWN = NAMEABLE | {BindingState.MISSING}
"""States of a binding in which its own operations use it, and removals of what lies under it: what
went missing is never made anew."""


@dataclass(frozen=True, slots=True)
class Assembled:
    """A work, and under whose key what it learns is sealed."""

    work: Work
    operation: Operation
    person: str
    is_erased: bool = False
    """Whether what it wants was erased with its person, so that it cannot even be asked about."""


_Events = Mapping[Position, Event]


@dataclass(frozen=True, slots=True)
class _States:
    wanted: Event | None
    sent: Event | None
    stated: Event | None
    progress: Mapping[str, Json] = field(repr=False)
    told_before: tuple[Event, ...] = ()
    approved: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Others:
    """The bindings and the last states of records that works name, and what certificates name."""

    bindings: dict[SourceRef, Binding]
    data: dict[SourceRef, Mapping[str, Json]] = field(repr=False)
    certified: frozenset[SourceRef]

    def targets(
        self, named: Sequence[SourceRef], usable: Collection[BindingState]
    ) -> dict[SourceRef, TargetId]:
        found = {each: self.bindings[each] for each in named if each in self.bindings}
        return {each: bound.target for each, bound in found.items() if bound.state in usable}

    def names(self, named: Sequence[SourceRef]) -> dict[SourceRef, Mapping[str, Json]]:
        return {each: self.data[each] for each in named if each in self.data}


class WorkReader:
    """Puts works together: wanted and sent states, targets, progress, the document."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def assemble(self, operations: Sequence[Operation]) -> tuple[Assembled, ...]:
        """Return the works of one conversation."""
        snapshot = await self._ledger.read_folded(
            lambda connection, scope: take(connection, scope, operations)
        )
        events = await self._open(snapshot)
        states = [_states(operation, snapshot, events) for operation in operations]
        named = [_named(*each) for each in zip(operations, states, strict=True)]
        others = await self._others(snapshot, events, {ref for each in named for ref in each})
        return tuple(
            [
                await self._assemble(*each, others=others)
                for each in zip(operations, states, named, strict=True)
            ]
        )

    async def _open(self, snapshot: Snapshot) -> dict[Position, Event]:
        before = (each for told in snapshot.told_before.values() for each in told)
        opened = await self._ledger.sealer.open([*snapshot.stored, *before])
        return {event.position: event for event in opened}

    async def _others(
        self, snapshot: Snapshot, events: _Events, named: Collection[SourceRef]
    ) -> _Others:
        """Return what the works name: nearly always looked up with the operations themselves."""
        found = _Others(dict(snapshot.bindings), _data_of(snapshot, events), snapshot.certified)
        missing = [each for each in named if each not in snapshot.looked_up]
        if missing:
            further = await self._ledger.read_folded(
                lambda connection, scope: take_others(connection, scope, missing)
            )
            found.bindings.update(further.bindings)
            found.data.update(_data_of(further, await self._open(further)))
        return found

    async def _assemble(
        self,
        operation: Operation,
        states: _States,
        named: Sequence[SourceRef],
        *,
        others: _Others,
    ) -> Assembled:
        kind = Kind(operation.kind)
        wanted = None if kind is Kind.RETIRE else _data(states.wanted)
        known = others.bindings.get(operation.reference)
        binding = known if known is not None and known.state in _OWN else None
        work = Work(
            operation=operation.key,
            kind=kind,
            reference=operation.reference,
            wanted=wanted,
            sent=_data(states.sent),
            stated=_data(states.stated),
            is_retired=binding is not None and binding.state is BindingState.RETIRED,
            is_certified=operation.reference in others.certified,
            target=binding.target if binding else None,
            targets=others.targets(named, _nameable(operation)),
            progress=states.progress,
            possibly_sent=operation.possibly_sent,
            attempts=operation.attempts,
            today=self._ledger.clock.now().date(),
            document=await self._document(kind, wanted, states.progress),
            names=others.names(named) if _looks_at_others(operation) else {},
            formerly=_formerly(operation, wanted, states),
            approved=states.approved,
        )
        is_erased = states.wanted is not None and states.wanted.is_erased
        return Assembled(work, operation, _person(states), is_erased=is_erased)

    async def _document(
        self, kind: Kind, wanted: Mapping[str, Json] | None, progress: Mapping[str, Json]
    ) -> bytes | None:
        document = (wanted or {}).get("document")
        if kind is not Kind.ISSUE or FILE_FACT in progress or not isinstance(document, dict):
            return None
        return await self._ledger.documents.get(str(document["sha256"]))


async def are_closed(ledger: Ledger, persons: Collection[str]) -> bool:
    """Tell whether one of these persons is erased by now, or being erased."""
    named = [person for person in persons if person]
    if not named:
        return False
    closed = await ledger.read_folded(
        lambda connection, scope: Doorkeeper().closed(connection, scope, persons=named)
    )
    return bool(closed)


def bare_work(operation: Operation) -> Assembled:
    """Return a work that knows nothing, for settling what could not be put together."""
    work = Work(
        operation=operation.key,
        kind=Kind(operation.kind),
        reference=operation.reference,
        possibly_sent=operation.possibly_sent,
    )
    return Assembled(work, operation, NOBODY)


def _states(operation: Operation, snapshot: Snapshot, events: _Events) -> _States:
    sent = snapshot.sent(operation.reference)
    stated = snapshot.stated(operation.reference)
    told = [events[position] for position in snapshot.told_of[operation.key]]
    progress: dict[str, Json] = {}
    for event in told:
        facts = (event.private or {}).get("facts")
        if event.type == "operation.progressed" and isinstance(facts, dict):
            progress |= facts
    return _States(
        wanted=events.get(wanted_by(operation)),
        sent=None if sent is None else events.get(sent),
        stated=None if stated is None else events.get(stated),
        progress=progress,
        told_before=tuple(
            events[each.position] for each in snapshot.told_before.get(operation.reference, ())
        ),
        approved=_approved(told),
    )


def _approved(told: Iterable[Event]) -> frozenset[str]:
    """Return for which reasons an operation was held when a person had it go on as it was.

    A bind has it go on too, but says whom the record is: nobody was ruled out by that.
    """
    approved: set[str] = set()
    reason = ""
    for event in told:
        if event.type == "operation.settled":
            reason = str(event.public.get("reason"))
        elif event.type == "operator.approved" and event.public.get("by") != "bind":
            approved.add(reason)
    return frozenset(approved)


def _data_of(snapshot: Snapshot, events: _Events) -> dict[SourceRef, Mapping[str, Json]]:
    stated = {each: snapshot.stated(each) for each in snapshot.records}
    return {
        reference: data
        for reference, position in stated.items()
        if position is not None and (data := events[position].data) is not None
    }


def _formerly(
    operation: Operation, wanted: Mapping[str, Json] | None, states: _States
) -> tuple[Former, ...]:
    told = [data for each in states.told_before if (data := _data(each)) is not None]
    return resource(operation.reference.entity).formerly(wanted, told) if wanted and told else ()


def _data(event: Event | None) -> Mapping[str, Json] | None:
    return None if event is None else event.data


def _nameable(operation: Operation) -> frozenset[BindingState]:
    # What lies under a record that went missing is still asked for at its old address.
    is_removal = operation.kind == Kind.RETIRE
    return _OWN if is_removal and resource(operation.reference.entity).is_nested else NAMEABLE


def _looks_at_others(operation: Operation) -> bool:
    entity = operation.reference.entity
    return bool(resource(entity).agreements) or entity == "course_module"


def _named(operation: Operation, states: _States) -> tuple[SourceRef, ...]:
    entity = resource(operation.reference.entity)
    known = [_data(event) for event in (states.wanted, states.sent, states.stated)]
    # A revocation's data name a reason, not records.
    data = known[1:] if operation.kind in {Kind.RETIRE, Kind.REVOKE} else known
    found = [each.ref for state in data if state is not None for each in entity.references(state)]
    return tuple(dict.fromkeys(found))


def _person(states: _States) -> str:
    # First what it wants: who was let in again goes by another name than their old states.
    events = (states.wanted, states.stated, states.sent)
    return next((event.person for event in events if event is not None and event.person), NOBODY)
