"""A conversation played from a script: what is asked, and what is answered."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ledger.reference import Json, OperationKey, SourceRef, TargetId
from sync.dispatcher.procedures import Rules, converse
from sync.dispatcher.step import Call, Progress, Settlement, WhoHolds, Work
from sync.dokstamp.answer import Answer, Fault, classify
from sync.dokstamp.request import Request
from sync.resources.definition import Kind

Reply = Callable[[Request], Answer]
Line = tuple[str, Reply]


@dataclass
class Transcript:
    """What a conversation did, in order."""

    calls: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    made_for: list[tuple[OperationKey, ...]] = field(default_factory=list)
    progress: list[Progress] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    """Calls and progress together, as they came."""
    result: Any = None

    @property
    def settlement(self) -> Settlement:
        [settlement] = self.result
        assert isinstance(settlement, Settlement)
        return settlement

    @property
    def facts(self) -> dict[str, Json]:
        return {name: value for step in self.progress for name, value in step.facts.items()}

    def settlement_of(self, work: Work) -> Settlement:
        [settlement] = [each for each in self.result if each.operation == work.operation]
        assert isinstance(settlement, Settlement)
        return settlement

    def body(self, line: str) -> Any:
        [request] = [r for r, call in zip(self.requests, self.calls, strict=True) if call == line]
        return request.body


def play(
    works: Work | Sequence[Work],
    script: Sequence[Line] = (),
    *,
    rules: Rules | None = None,
    holders: Mapping[str, SourceRef] | None = None,
) -> Transcript:
    """Return what the conversation about these works did, which is all of the script."""
    together = (works,) if isinstance(works, Work) else tuple(works)
    return play_steps(converse(together, rules=rules or Rules()), script, holders=holders)


def play_steps(
    steps: Generator[Any, Any, Any],
    script: Sequence[Line] = (),
    *,
    holders: Mapping[str, SourceRef] | None = None,
) -> Transcript:
    done = Transcript()
    left = list(script)
    reply: Any = None
    while True:
        try:
            step = steps.send(reply)
        except StopIteration as end:
            done.result = end.value
            break
        reply = _reply(step, done, left, holders or {})
    assert left == [], f"never asked: {[line for line, _ in left]}, only {done.calls}"
    return done


def _reply(
    step: object, done: Transcript, left: list[Line], holders: Mapping[str, SourceRef]
) -> object:
    if isinstance(step, Progress):
        done.progress.append(step)
        done.order.append("progress")
        return None
    if isinstance(step, WhoHolds):
        return {target: holders[target] for target in step.targets if target in holders}
    assert isinstance(step, Call)
    line = line_of(step.request)
    done.calls.append(line)
    done.requests.append(step.request)
    done.made_for.append(step.operations)
    done.order.append(line)
    assert left, f"not in the script: {line} after {done.calls[:-1]}"
    expected, answer = left.pop(0)
    assert line == expected
    return answer(step.request)


def line_of(request: Request) -> str:
    """Return a request as one line, without what only turns pages."""
    turning = {"per_page", "sort[column]", "sort[order]"}
    query = [
        f"{name}={value}"
        for name, value in request.query
        if name not in turning and (name, value) != ("page", "1")
    ]
    return f"{request.method} {request.path}" + ("?" + "&".join(query) if query else "")


def answered(status: int, body: object = None, *, retry_after: float | None = None) -> Reply:
    return lambda request: Answer(
        classify(request.method, status=status), status, body, retry_after
    )


def shows(row: Mapping[str, object], status: int = 200) -> Reply:
    return answered(status, {"data": dict(row)})


def made(uuid: str, **fields: object) -> Reply:
    return shows({"uuid": uuid, **fields}, 201)


def lists(*rows: Mapping[str, object]) -> Reply:
    meta = {"current_page": 1, "per_page": 50, "total": len(rows)}
    return answered(200, {"data": [dict(row) for row in rows], "meta": meta})


def refuses(*fields: str, status: int = 422) -> Reply:
    errors = {name: ["The selected value is invalid."] for name in fields}
    return answered(status, {"success": False, "message": "Invalid.", "errors": errors})


def missing(status: int = 404) -> Reply:
    return answered(status, {"success": False, "message": "Resource not found."})


def gone() -> Reply:
    return answered(204)


def fails(status: int = 500) -> Reply:
    return answered(status, {"success": False, "message": "Server Error"})


def throttled(seconds: float | None = 7) -> Reply:
    return answered(429, None, retry_after=seconds)


def unauthorised() -> Reply:
    return answered(401, {"message": "Unauthenticated."})


def lost() -> Reply:
    return _fault(Fault.TIMEOUT)


def unreachable() -> Reply:
    return _fault(Fault.CONNECT)


def _fault(fault: Fault) -> Reply:
    return lambda request: Answer(
        classify(request.method, status=None, fault=fault), None, fault=fault
    )


def target(reference: SourceRef) -> TargetId:
    return TargetId(f"{reference.entity}-{reference.source_id}-uuid")


def refers_to(*names: str) -> dict[SourceRef, TargetId]:
    """Return the bindings of records named like `course CS`."""
    references = [SourceRef(*name.split(" ", 1)) for name in names]
    return {reference: target(reference) for reference in references}


def operation(reference: SourceRef, kind: Kind) -> OperationKey:
    return OperationKey(f"{kind}-{reference.entity}-{reference.source_id}")
