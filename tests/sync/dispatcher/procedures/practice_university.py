"""A small university kept in step with the practice service: the procedures without a ledger.

It does what the worker does, in memory: performs steps, keeps progress and bindings, waits when
told to, and can die at any step and start again from what was on record.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ledger.reference import Json, SourceRef, TargetId
from sync.dispatcher.procedures import Rules, converse
from sync.dispatcher.reasons import explain
from sync.dispatcher.step import After, Call, Outcome, Progress, Settlement, WhoHolds, Work
from sync.dokstamp.answer import Answer, Fault
from sync.dokstamp.request import Request
from sync.dokstamp.wire import Incoming, encode_body, read_answer
from sync.resources.catalog import resource
from sync.resources.definition import Kind
from tests.sync.dispatcher.procedures.transcript import operation
from tests.sync.simulator.practice import Practice, form_part

ROUNDS_MAX = 60
SETTLE_SECONDS = 30.0


@dataclass
class Bound:
    """What is known of one record's counterpart."""

    target: TargetId
    sent: Mapping[str, Json] | None = None
    is_retired: bool = False


@dataclass
class University:
    practice: Practice
    rules: Rules = field(default_factory=Rules)
    dies_at: int | None = None
    """The step, counted over everything, before which the process dies once."""
    steps: int = 0
    bound: dict[SourceRef, Bound] = field(default_factory=dict)
    states: dict[SourceRef, Mapping[str, Json]] = field(default_factory=dict)
    settled: list[Settlement] = field(default_factory=list)

    def upsert(self, entity: str, **records: Mapping[str, Json]) -> None:
        """Bring records of one entity to these states, in one conversation."""
        works = []
        for source_id, state in records.items():
            reference = SourceRef(entity, source_id)
            self.states[reference] = state
            works.append(Work(operation(reference, Kind.UPSERT), Kind.UPSERT, reference, state))
        self._carry_out(works)

    def remove(self, entity: str, *source_ids: str) -> None:
        references = [SourceRef(entity, source_id) for source_id in source_ids]
        kind = Kind.RETIRE
        self._carry_out([Work(operation(ref, kind), kind, ref) for ref in references])

    def issue(self, source_id: str, state: Mapping[str, Json], document: bytes) -> None:
        reference = SourceRef("certificate", source_id)
        self.states[reference] = state
        key = operation(reference, Kind.ISSUE)
        today = self.practice.now.date()
        self._carry_out([Work(key, Kind.ISSUE, reference, state, document=document, today=today)])

    def revoke(self, source_id: str, reason_code: str) -> None:
        reference = SourceRef("certificate", source_id)
        key = operation(reference, Kind.REVOKE)
        self._carry_out([Work(key, Kind.REVOKE, reference, {"reason_code": reason_code})])

    def _carry_out(self, works: list[Work]) -> None:
        for _ in range(ROUNDS_MAX):
            works, wait_seconds = self._once([self._informed(work) for work in works])
            if not works:
                return
            self.practice.wait(wait_seconds)
        raise AssertionError(f"never settled: {[str(work.reference) for work in works]}")

    def _informed(self, work: Work) -> Work:
        """Return the work with everything that is on record about it."""
        bound = self.bound.get(work.reference)
        sent = bound.sent if bound else None
        states = [state for state in (work.wanted, sent) if state is not None]
        named = [ref.ref for state in states for ref in self._references(work, state)]
        return replace(
            work,
            target=bound.target if bound else None,
            sent=sent,
            is_retired=bound.is_retired if bound else False,
            targets={ref: self.bound[ref].target for ref in named if ref in self.bound},
            names={ref: self.states[ref] for ref in named if ref in self.states},
        )

    def _references(self, work: Work, state: Mapping[str, Json]) -> Sequence[Any]:
        if work.kind is Kind.REVOKE and "reason_code" in state:
            return ()
        return resource(work.reference.entity).references(state)

    def _once(self, works: list[Work]) -> tuple[list[Work], float]:
        """Hold one conversation and return what is left, and how long to wait."""
        progress = {work.operation: dict(work.progress) for work in works}
        by_operation = {work.operation: work for work in works}
        conversation = converse(tuple(works), rules=self.rules)
        reply: Any = None
        while True:
            try:
                step = conversation.send(reply)
            except StopIteration as end:
                settlements = end.value
                break
            self.steps += 1
            if self.steps == self.dies_at:
                left = [replace(w, progress=progress[w.operation]) for w in works]
                return [replace(w, possibly_sent=True) for w in left], SETTLE_SECONDS
            if isinstance(step, Progress):
                progress[step.operation].update(step.facts)
                if step.bind is not None:
                    self.bound.setdefault(by_operation[step.operation].reference, Bound(step.bind))
                reply = None
            elif isinstance(step, WhoHolds):
                holders = {bound.target: ref for ref, bound in self.bound.items()}
                reply = {t: holders[t] for t in step.targets if t in holders}
            else:
                reply = self._answer(step)
        left = [replace(work, progress=progress[work.operation]) for work in works]
        return self._settle(left, {each.operation: each for each in settlements})

    def _settle(
        self, works: list[Work], settlements: Mapping[str, Settlement]
    ) -> tuple[list[Work], float]:
        left, waits = [], [0.0]
        for work in works:
            settlement = settlements[work.operation]
            self.settled.append(settlement)
            match settlement.outcome:
                case Outcome.DONE:
                    self._finish(work, settlement)
                case Outcome.RETRY:
                    left.append(replace(work, possibly_sent=False))
                    waits.append(settlement.retry_seconds or 1.0)
                case Outcome.UNCERTAIN:
                    left.append(replace(work, possibly_sent=True))
                    waits.append(max(SETTLE_SECONDS, settlement.retry_seconds or 0))
                case _:
                    words = explain(settlement.reason, settlement.fields)
                    raise AssertionError(f"{work.reference} {settlement.outcome}: {words}")
        return left, max(waits)

    def _finish(self, work: Work, settlement: Settlement) -> None:
        if settlement.after is After.RELEASED:
            del self.bound[work.reference]
        elif settlement.target is not None and settlement.after is not After.UNCHANGED:
            is_retired = settlement.after is After.RETIRED
            bound = self.bound.get(work.reference)
            sent = bound.sent if work.kind is not Kind.UPSERT and bound else work.wanted
            self.bound[work.reference] = Bound(settlement.target, sent, is_retired)

    def _answer(self, step: Call) -> Answer:
        request = step.request
        headers = self.practice.headers()
        content = b""
        if request.body is not None:
            headers["Content-Type"] = "application/json"
            content = encode_body(request.body)
        elif request.upload is not None:
            headers["Content-Type"] = "multipart/form-data; boundary=edge"
            content = form_part("files[]", request.upload.name, request.upload.content)
            content += b"--edge--\r\n"
        response = self.practice.send(
            request.method, request.path, query=request.query, headers=headers, body=content
        )
        return read_answer(request.method, _incoming(request, response), now=self.practice.now)


def _incoming(request: Request, response: Any) -> Incoming:
    del request
    if response.cut:
        return Incoming(None, fault=Fault.RESET)
    if response.stall_seconds or response.ticket is not None:
        return Incoming(None, fault=Fault.TIMEOUT)
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Incoming(response.status, response.body, headers)
