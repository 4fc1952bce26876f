"""An operation as a row of its table, there and back."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from ledger.outbox.operation import Operation, State
from ledger.reference import OperationKey, SourceRef


def as_operation(row: Row[Any]) -> Operation:
    """Return the operation that a row of the table holds."""
    return Operation(
        key=OperationKey(row.key),
        cause=row.cause,
        reference=SourceRef(row.entity, row.source_id),
        kind=row.kind,
        state=State(row.state),
        priority=row.priority,
        payload=row.payload,
        place=row.place,
        concerns=_decode_concerns(row.concerns),
        lane=row.lane,
        second_lane=row.second_lane,
        attempts=row.attempts,
        failures=row.failures,
        not_before=row.not_before_seconds,
        reason=row.reason,
        possibly_sent=bool(row.possibly_sent),
        completes=bool(row.completes),
        superseded_by=row.superseded_by,
        epoch=row.epoch,
    )


def as_row(operation: Operation) -> dict[str, object]:
    """Return the columns of an operation that is planned only now, but for its record."""
    return {
        "key": operation.key,
        "cause": operation.cause,
        "payload": operation.payload,
        "place": operation.place,
        "concerns": encode_concerns(operation.concerns),
        "kind": operation.kind,
        "state": operation.state.value,
        "priority": operation.priority,
        "lane": operation.lane,
        "second_lane": operation.second_lane,
        "attempts": 0,
        "failures": 0,
        "not_before_seconds": operation.not_before,
        "reason": operation.reason,
        "possibly_sent": False,
        "completes": operation.completes,
        "epoch": 0,
    }


def encode_concerns(concerns: Sequence[SourceRef]) -> str | None:
    """Return the records that a hold is about, as their column holds them."""
    return json.dumps([[each.entity, each.source_id] for each in concerns]) if concerns else None


def _decode_concerns(text: str | None) -> tuple[SourceRef, ...]:
    if text is None:
        return ()
    return tuple(SourceRef(entity, source_id) for entity, source_id in json.loads(text))
