"""The protection table: what may not be deleted while something depends on it."""

from sync.simulator.call import Call
from sync.simulator.entity import Dependant, Entity
from sync.simulator.refusal import RefusedError, invalid
from sync.simulator.tables import Record


def refuse_if_protected(call: Call, entity: Entity, record: Record) -> None:
    """Refuse a deletion while dependants exist, in the way the switch says."""
    position = call.switches.delete_with_dependants
    if position == "204" or not is_protected(call, entity, record):
        return
    if position == "422":
        raise invalid({"uuid": ["The record is in use."]})
    raise RefusedError(int(position))


def is_protected(call: Call, entity: Entity, record: Record) -> bool:
    """Tell whether anything that counts depends on the record."""
    return any(_has_dependant(call, rule, record.uuid) for rule in entity.dependants)


def _has_dependant(call: Call, rule: Dependant, uuid: str) -> bool:
    found = call.store.table(rule.table).find(call.tenant, rule.column, uuid)
    return any(
        other.deleted_at is None
        or (rule.counts_deleted_with and other.values.get(rule.counts_deleted_with) is not None)
        for other in found
    )
