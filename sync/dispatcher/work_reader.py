"""Reads from the ledger everything that a conversation may know about its operations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from ledger.ledger import Ledger
from ledger.log.event import NOBODY, Event
from ledger.mapping import store as mapping_store
from ledger.mapping.binding import Binding, BindingState
from ledger.outbox import record_store
from ledger.outbox import store as outbox_store
from ledger.outbox.operation import Operation
from ledger.outbox.record_store import Record
from ledger.reference import Json, Position, SourceRef, TargetId
from sync.dispatcher.procedures.issue import FILE_FACT
from sync.dispatcher.step import Work
from sync.resources import Kind, resource

_USABLE = frozenset({BindingState.LIVE, BindingState.RETIRED, BindingState.REVOKED})
"""States of a binding in which other records may name its uuid."""
_OWN = _USABLE | {BindingState.MISSING}
"""… and in which its own operations use it: what went missing is never made anew."""


@dataclass(frozen=True, slots=True)
class Assembled:
    """A work, and under whose key what it learns is sealed."""

    work: Work
    operation: Operation
    person: str


@dataclass(frozen=True, slots=True)
class _Rows:
    """What the tables hold about one operation."""

    operation: Operation
    record: Record | None
    binding: Binding | None
    told_of: tuple[Position, ...]


@dataclass(frozen=True, slots=True)
class _States:
    wanted: Event | None
    sent: Event | None
    stated: Event | None
    progress: Mapping[str, Json] = field(repr=False)


class WorkReader:
    """Puts works together: wanted and sent states, targets, progress, the document."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def assemble(self, operations: Sequence[Operation]) -> tuple[Assembled, ...]:
        """Return the works of one conversation."""
        return tuple([await self._assemble(operation) for operation in operations])

    async def _assemble(self, operation: Operation) -> Assembled:
        rows = await self._read_rows(operation)
        states = await self._read_states(rows)
        named = _named(operation, states)
        bindings, names = await self._read_named(operation, named)
        kind = Kind(operation.kind)
        wanted = None if kind is Kind.RETIRE else _data(states.wanted)
        binding = rows.binding if rows.binding and rows.binding.state in _OWN else None
        work = Work(
            operation=operation.key,
            kind=kind,
            reference=operation.reference,
            wanted=wanted,
            sent=_data(states.sent),
            is_retired=binding is not None and binding.state is BindingState.RETIRED,
            target=binding.target if binding else None,
            targets=bindings,
            progress=states.progress,
            possibly_sent=operation.possibly_sent,
            attempts=operation.attempts,
            today=self._ledger.clock.now().date(),
            document=await self._document(kind, wanted, states.progress),
            names=names,
        )
        return Assembled(work, operation, _person(states))

    async def _read_rows(self, operation: Operation) -> _Rows:
        scope = self._ledger.scope

        def read(connection: Connection) -> _Rows:
            told_of = outbox_store.events_of(connection, scope, keys=[operation.key])
            return _Rows(
                operation,
                record_store.find(connection, scope, reference=operation.reference),
                mapping_store.find(connection, scope, reference=operation.reference),
                tuple(sorted(told_of)),
            )

        return await self._ledger.read(read)

    async def _read_states(self, rows: _Rows) -> _States:
        operation, binding = rows.operation, rows.binding
        wanted = operation.cause if operation.payload is None else operation.payload
        sent = binding.sent if binding else None
        stated = rows.record.state_position if rows.record else None
        positions = {wanted, sent, stated, *rows.told_of} - {None}
        events = await self._ledger.events_at(each for each in positions if each is not None)
        progress: dict[str, Json] = {}
        for position in rows.told_of:
            event = events[position]
            facts = (event.private or {}).get("facts")
            if event.type == "operation.progressed" and isinstance(facts, dict):
                progress |= facts
        return _States(
            wanted=events.get(wanted),
            sent=events.get(sent) if sent is not None else None,
            stated=events.get(stated) if stated is not None else None,
            progress=progress,
        )

    async def _read_named(
        self, operation: Operation, named: Sequence[SourceRef]
    ) -> tuple[dict[SourceRef, TargetId], dict[SourceRef, Mapping[str, Json]]]:
        scope = self._ledger.scope

        def read(connection: Connection) -> tuple[dict[SourceRef, Binding], dict[SourceRef, int]]:
            bindings = mapping_store.find_all(connection, scope, references=named)
            records = [
                record_store.find(connection, scope, reference=each)
                for each in (named if _looks_at_others(operation) else ())
            ]
            stated = {
                each.reference: each.state_position
                for each in records
                if each is not None and each.state_position is not None
            }
            return bindings, stated

        bindings, stated = await self._ledger.read(read)
        events = await self._ledger.events_at(stated.values())
        names = {
            reference: data
            for reference, position in stated.items()
            if (data := events[position].data) is not None
        }
        targets = {
            reference: binding.target
            for reference, binding in bindings.items()
            if binding.state in _USABLE
        }
        return targets, names

    async def _document(
        self, kind: Kind, wanted: Mapping[str, Json] | None, progress: Mapping[str, Json]
    ) -> bytes | None:
        document = (wanted or {}).get("document")
        if kind is not Kind.ISSUE or FILE_FACT in progress or not isinstance(document, dict):
            return None
        return await self._ledger.documents.get(str(document["sha256"]))


def bare_work(operation: Operation) -> Assembled:
    """Return a work that knows nothing, for settling what could not be put together."""
    work = Work(
        operation=operation.key,
        kind=Kind(operation.kind),
        reference=operation.reference,
        possibly_sent=operation.possibly_sent,
    )
    return Assembled(work, operation, NOBODY)


def _data(event: Event | None) -> Mapping[str, Json] | None:
    return None if event is None else event.data


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
    events = (states.stated, states.wanted, states.sent)
    return next((event.person for event in events if event is not None and event.person), NOBODY)
