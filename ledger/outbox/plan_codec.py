"""A plan as the JSON that the log keeps, and back."""

from collections.abc import Sequence
from typing import Any

from ledger.outbox.gate import Gate, GateKind
from ledger.outbox.operation import Priority
from ledger.outbox.plan import Hold, Intent, Plan, Superseding
from ledger.outbox.record_store import Named
from ledger.reference import Json, OperationKey, SourceRef


def is_empty(plan: Plan) -> bool:
    """Tell whether a plan changes nothing but how far was read, and has nothing to remember."""
    parts = (plan.intents, plan.supersedings, plan.holds, plan.parked, plan.late, plan.named)
    return not any(parts)


def encode(plan: Plan) -> dict[str, Json]:
    """Return a plan as JSON; parts that are empty are left out."""
    parts: dict[str, Json] = {
        "intents": [_encode_intent(intent) for intent in plan.intents],
        "supersedings": [[item.old, item.new] for item in plan.supersedings],
        "holds": [[item.key, item.reason, _encode_records(item.concerns)] for item in plan.holds],
        "parked": [[position, code] for position, code in plan.parked],
        "late": list(plan.late),
        "named": [
            [each.field, each.reference.entity, each.reference.source_id] for each in plan.named
        ],
    }
    return {"through": plan.through, **{name: part for name, part in parts.items() if part}}


def decode(value: dict[str, Any]) -> Plan:
    """Return the plan that `encode` wrote."""
    return Plan(
        through=value["through"],
        intents=tuple(_decode_intent(item) for item in value.get("intents", ())),
        supersedings=tuple(
            Superseding(OperationKey(old), OperationKey(new))
            for old, new in value.get("supersedings", ())
        ),
        holds=tuple(
            Hold(OperationKey(key), reason, _decode_records(concerns))
            for key, reason, concerns in value.get("holds", ())
        ),
        parked=tuple((position, code) for position, code in value.get("parked", ())),
        late=tuple(value.get("late", ())),
        named=tuple(
            Named(field, SourceRef(entity, source_id))
            for field, entity, source_id in value.get("named", ())
        ),
    )


def _encode_intent(intent: Intent) -> dict[str, Json]:
    fields: dict[str, Json] = {
        "key": intent.key,
        "cause": intent.cause,
        "payload": intent.payload,
        "place": intent.place,
        "concerns": _encode_records(intent.concerns) or None,
        "entity": intent.reference.entity,
        "source_id": intent.reference.source_id,
        "kind": intent.kind,
        "priority": None if intent.priority == Priority.REST else intent.priority,
        "held": intent.held,
        "finished": intent.finished,
        "completes": intent.completes or None,
        "gates": [_encode_gate(gate) for gate in intent.gates] or None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _decode_intent(value: dict[str, Any]) -> Intent:
    return Intent(
        key=OperationKey(value["key"]),
        cause=value["cause"],
        payload=value.get("payload"),
        place=value.get("place"),
        concerns=_decode_records(value.get("concerns", ())),
        reference=SourceRef(value["entity"], value["source_id"]),
        kind=value["kind"],
        priority=value.get("priority", Priority.REST),
        held=value.get("held"),
        finished=value.get("finished"),
        completes=value.get("completes", False),
        gates=tuple(_decode_gate(item) for item in value.get("gates", ())),
    )


def _encode_records(references: Sequence[SourceRef]) -> list[Json]:
    return [[each.entity, each.source_id] for each in references]


def _decode_records(value: Sequence[Sequence[str]]) -> tuple[SourceRef, ...]:
    return tuple(SourceRef(entity, source_id) for entity, source_id in value)


def _encode_gate(gate: Gate) -> list[Json]:
    return [gate.kind.value, gate.reference.entity, gate.reference.source_id, gate.operation]


def _decode_gate(value: list[Any]) -> Gate:
    kind, entity, source_id, operation = value
    return Gate(GateKind(kind), SourceRef(entity, source_id), operation=operation)
