"""The standard calls that every ordinary resource shares."""

from collections.abc import Mapping

from sync.simulator.call import Call
from sync.simulator.entity import Entity, Unique
from sync.simulator.message import JsonObject, SimulatedResponse, json_response
from sync.simulator.protection import refuse_if_protected
from sync.simulator.refusal import Errors, RefusedError, invalid
from sync.simulator.tables import Record, fold, text_of
from sync.simulator.validation import clean, selected_is_invalid


def show(call: Call, entity: Entity, *, parameter: str = "uuid") -> SimulatedResponse:
    """Return one record."""
    record = call.store.table(entity.table).get(call.parameters[parameter])
    if record is None or record.tenant != call.tenant:
        raise RefusedError(404)
    if record.deleted_at is not None and call.switches.get_deleted == "404":
        raise RefusedError(404)
    return json_response(200, {"data": entity.present(call, record)})


def create(
    call: Call, entity: Entity, *, fixed: Mapping[str, object] | None = None
) -> SimulatedResponse:
    """Make a record from the body; `fixed` columns come from the path."""
    values, errors = clean(call, entity, body=call.body(), is_update=False, fills=True)
    record = add(call, entity, values={**values, **(fixed or {})}, errors=errors)
    return call.success(201, {"data": entity.present(call, record)})


def add(call: Call, entity: Entity, *, values: JsonObject, errors: Errors) -> Record:
    """Store a new record, or refuse with everything that is wrong with it."""
    _complete(call, entity, values=values, errors=errors)
    record = call.store.make(entity.table, call.tenant, values=values, now=call.now, rng=call.rng)
    call.note("created", record, entity.table, *sorted(values))
    entity.follow_up(call, record)
    return record


def update(call: Call, entity: Entity, record: Record) -> SimulatedResponse:
    """Change the fields of a record that were sent."""
    body = call.body()
    clears = call.request.method == "PUT" and call.switches.patch_put == "put_clears"
    sent, errors = clean(call, entity, body=body, is_update=True, fills=clears)
    if entity.parents & body.keys():
        call.marks.add("parent_in_update")
    _complete(call, entity, values={**record.values, **sent}, errors=errors, record=record)
    changed = {name: value for name, value in sent.items() if record.values.get(name) != value}
    if changed:
        call.store.table(entity.table).change(record, changed)
        record.updated_at = call.now
        call.note("updated", record, entity.table, *sorted(changed))
        entity.follow_up(call, record)
    else:
        call.marks.add("needless_update")
    return json_response(200, {"data": entity.present(call, record)})


def destroy(call: Call, entity: Entity, record: Record) -> SimulatedResponse:
    """Delete one record softly, unless others depend on it."""
    refuse_if_protected(call, entity, record)
    remove(call, entity.table, record)
    return call.success(204, {"message": "Deleted."})


def batch_destroy(call: Call, entity: Entity) -> SimulatedResponse:
    """Delete several records, all or none."""
    uuids = call.body().get("uuids")
    if not isinstance(uuids, list) or not uuids:
        raise invalid({"uuids": ["The uuids field is required."]})
    records = [_batch_member(call, entity, uuid, index) for index, uuid in enumerate(uuids)]
    for record in records:
        refuse_if_protected(call, entity, record)
    for record in records:
        remove(call, entity.table, record)
    return call.success(204, {"message": "Deleted."})


def remove(call: Call, table: str, record: Record, *, action: str = "deleted") -> None:
    """Mark a record as deleted and leave the effect for the journal."""
    if record.deleted_at is None:
        call.store.table(table).delete(record, call.now)
        call.note(action, record, table)


def _batch_member(call: Call, entity: Entity, uuid: object, index: int) -> Record:
    record = call.own(entity.table, uuid) if isinstance(uuid, str) else None
    if record is None:
        call.marks.add("unknown_reference")
        raise invalid({f"uuids.{index}": selected_is_invalid(f"uuids.{index}")})
    return record


def _complete(
    call: Call,
    entity: Entity,
    *,
    values: JsonObject,
    errors: Errors,
    record: Record | None = None,
) -> None:
    """Refuse when a field, a key or a rule of the kind is violated."""
    if not errors:
        errors = {**_taken(call, entity, values, record), **entity.check(call, values)}
    if errors:
        raise invalid(errors)


def _taken(
    call: Call, entity: Entity, values: Mapping[str, object], record: Record | None
) -> Errors:
    return {
        rule.error: [f"The {rule.error.replace('_', ' ')} has already been taken."]
        for rule in entity.unique(call.switches)
        if _is_taken(call, entity, rule=rule, values=values, record=record)
    }


def _is_taken(
    call: Call,
    entity: Entity,
    *,
    rule: Unique,
    values: Mapping[str, object],
    record: Record | None,
) -> bool:
    key = [values.get(column) for column in rule.columns]
    if key[-1] is None or (None in key and not rule.counts_null):
        return False
    found = call.store.table(entity.table).find(call.tenant, rule.columns[-1], key[-1])
    return any(
        other is not record and _occupies(call, other, rule=rule, key=key) for other in found
    )


def _occupies(call: Call, other: Record, *, rule: Unique, key: list[object]) -> bool:
    if other.deleted_at is not None and call.switches.unique_counts_deleted == "no":
        return False
    if rule.statuses and other.values.get("status") not in rule.statuses:
        return False
    is_exact = call.switches.filter_case == "exact" and not rule.is_case_blind
    spell = text_of if is_exact else fold
    return [spell(other.values.get(column)) for column in rule.columns] == [
        spell(value) for value in key
    ]
