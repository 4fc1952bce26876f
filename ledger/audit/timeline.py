"""The story of a record in plain words: what events say, and the facts that endings keep sealed."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, cast

from ledger.log.envelope import format_time
from ledger.reference import Json, OperationKey, Position, SourceRef

Explain = Callable[[str], str]
"""Turns a reason code into words."""


@dataclass(frozen=True, slots=True)
class Told:
    """One event of a story, as far as everybody may read it."""

    position: Position
    recorded_at: datetime
    type: str
    is_outcome: bool
    public: Mapping[str, Any]
    operation: OperationKey | None
    """The operation of the record that it tells of."""
    is_erased: bool = False
    """Whether what it kept sealed was erased with its person."""
    facts: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What an ending keeps sealed."""


@dataclass(frozen=True, slots=True)
class Plot:
    """What the story is about."""

    reference: SourceRef
    operations: Collection[OperationKey]
    explain: Explain


ERASED: Final = "[erased]"
"""What stands in place of data that were erased."""


def story(events: Sequence[Told], plot: Plot) -> list[dict[str, Json]]:
    """Return the entries of a timeline, in the order of the log."""
    return [entry(event, plot) for event in sorted(events, key=lambda event: event.position)]


def entry(event: Told, plot: Plot) -> dict[str, Json]:
    """Return one entry of a timeline."""
    tell = _SOURCE.get(event.type.rpartition(".")[2]) if not event.is_outcome else None
    summary = tell or _OUTCOMES.get(event.type, _unknown)(event, plot)
    exchanges: list[Json] = [_exchange(each) for each in event.public.get("exchanges", ())]
    return {
        "position": event.position,
        "time": format_time(event.recorded_at),
        "type": event.type,
        "summary": f"{summary} {ERASED}" if event.is_erased else summary,
        "operation": event.operation,
        "exchanges": exchanges,
    }


def _exchange(exchange: Mapping[str, Any]) -> dict[str, Json]:
    seconds = exchange.get("seconds")
    return {
        "method": exchange.get("method"),
        "path": exchange.get("route"),
        "status": exchange.get("status"),
        "started_at": exchange.get("started_at"),
        # The log keeps decimals as text; a reader of JSON expects a number here.
        "seconds": None if seconds is None else cast("Json", float(seconds)),
    }


def _unknown(event: Told, _: Plot) -> str:
    return event.type.replace(".", " ").replace("_", " ")


def _planned(event: Told, plot: Plot) -> str:
    parts: list[str] = []
    for step in event.public.get("steps", ()):
        parts += [_intent(each, plot) for each in step.get("intents", ()) if _is_ours(each, plot)]
        parts += [
            "An earlier operation that was never sent gave way to this one."
            for old, _ in step.get("supersedings", ())
            if old in plot.operations
        ]
        parts += [
            f"Held for a person. {plot.explain(reason)}"
            for key, reason, _ in step.get("holds", ())
            if key in plot.operations
        ]
    return " ".join(parts) or "Planned."


def _is_ours(intent: Mapping[str, Any], plot: Plot) -> bool:
    return SourceRef(intent["entity"], intent["source_id"]) == plot.reference


def _intent(intent: Mapping[str, Any], plot: Plot) -> str:
    if "held" in intent:
        return f"Planned to {_verb(intent)}, held for a person. {plot.explain(intent['held'])}"
    if "finished" in intent:
        return f"Nothing to call. {plot.explain(intent['finished'])}"
    waits = len(intent.get("gates", ()))
    conditions = f", after {waits} condition{'s' if waits > 1 else ''}" if waits else ""
    return f"Planned to {_verb(intent)}{conditions}."


def _verb(intent: Mapping[str, Any]) -> str:
    return _VERBS.get(intent["kind"], str(intent["kind"]))


def _claimed(event: Told, _: Plot) -> str:
    return f"Host {event.public['host']} took it up (epoch {event.public['epoch']})."


def _progressed(event: Told, _: Plot) -> str:
    if event.public.get("bind"):
        return f"The remote record is known: {event.public['bind']}."
    return "A step of it was put on record."


def _settled(event: Told, plot: Plot) -> str:
    public = event.public
    parts = [_ENDINGS.get(public["outcome"], str(public["outcome"]))]
    if public["outcome"] == "done" and public.get("after"):
        parts.append(f"The remote record is {public['after']}.")
    if public.get("target"):
        parts.append(f"It is {public['target']}.")
    if public.get("reason"):
        parts.append(plot.explain(public["reason"]))
    if public.get("fields"):
        parts.append(f"Fields: {', '.join(map(str, public['fields']))}.")
    parts += [f"{name.replace('_', ' ')}: {value}" for name, value in sorted(event.facts.items())]
    return " ".join(parts)


def _evidence(_: Told, __: Plot) -> str:
    return "A worker that had lost its lease left what it had exchanged."


def _bound(event: Told, _: Plot) -> str:
    return f"A person bound it to {event.public['target']}."


def _released(event: Told, _: Plot) -> str:
    return f"A person released it from {event.public['target']}."


def _approved(_: Told, __: Plot) -> str:
    return "A person let it go on."


def _retried(_: Told, __: Plot) -> str:
    return "A person had it tried again."


def _discarded(_: Told, __: Plot) -> str:
    return "A person gave it up."


def _held(_: Told, __: Plot) -> str:
    return "A legal hold keeps the person from being erased."


def _hold_released(_: Told, __: Plot) -> str:
    return "The legal hold was released."


def _erasing(event: Told, _: Plot) -> str:
    public = event.public
    again = "A backup from before an erasure was opened: the person is erased again."
    parts = [again if public.get("again") else "The person is to be erased: nothing more is taken."]
    counts = {
        "operations that were never sent were given up": len(public.get("discarded", ())),
        "operations in doubt are looked at once more": len(public.get("retried", ())),
        "operations of others that waited for them are held": len(public.get("held", ())),
        "refused lines go as well": len(public.get("also", ())),
    }
    parts += [f"{count} {what}." for what, count in counts.items() if count]
    return " ".join(parts)


def _erased(_: Told, __: Plot) -> str:
    return "The person was erased: the key to their data, and what was derived from them, is gone."


def _readmitted(event: Told, _: Plot) -> str:
    return f"A person let them in again, as {event.public['person']}."


_VERBS: Final[Mapping[str, str]] = {
    "upsert": "bring the remote record to this state",
    "retire": "retire the remote record",
    "issue": "issue it",
    "revoke": "revoke it",
}
_SOURCE: Final[Mapping[str, str]] = {
    "upserted": "The source told its state.",
    "removed": "The source removed it.",
    "requested": "The source asked for it.",
    "revoked": "The source revoked it.",
}
_ENDINGS: Final[Mapping[str, str]] = {
    "done": "Done.",
    "retry": "Put off.",
    "uncertain": "The outcome is unknown; it is found out before anything else happens.",
    "held": "Held for a person.",
    "dead": "Refused.",
}
_OUTCOMES: Final[Mapping[str, Callable[[Told, Plot], str]]] = {
    "operations.planned": _planned,
    "operations.claimed": _claimed,
    "operation.progressed": _progressed,
    "operation.settled": _settled,
    "exchange.recorded": _evidence,
    "mapping.bound": _bound,
    "mapping.released": _released,
    "operator.approved": _approved,
    "operator.retried": _retried,
    "operator.discarded": _discarded,
    "subject.held": _held,
    "subject.hold_released": _hold_released,
    "subject.erasing": _erasing,
    "subject.erased": _erased,
    "subject.readmitted": _readmitted,
}
