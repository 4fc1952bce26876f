"""Attachments of modules to courses: the attachable list, attach and detach."""

from dataclasses import dataclass

from sync.simulator.call import Call
from sync.simulator.crud import remove
from sync.simulator.entity import Entity, Field
from sync.simulator.listing import list_nested
from sync.simulator.message import JsonObject, SimulatedResponse
from sync.simulator.modules import MODULE
from sync.simulator.refusal import Errors, invalid, refused_response
from sync.simulator.tables import Record
from sync.simulator.validation import check_uuid, selected_is_invalid

_GROUP = "course_module_group_uuid"


def _present(_call: Call, record: Record) -> JsonObject:
    return {
        "uuid": record.values.get("module_uuid"),
        "order": record.values.get("order"),
        "is_required": record.values.get("is_required"),
        "workload": record.values.get("workload"),
        _GROUP: record.values.get(_GROUP),
    }


ATTACHMENT = Entity(
    table="attachments",
    fields=(
        Field(name="course_uuid", kind="reference", table="courses"),
        Field(name="module_uuid", kind="reference", table="modules"),
        Field(name=_GROUP, kind="reference", table="module_groups"),
        Field(name="order", kind="integer"),
        Field(name="workload", kind="integer"),
        Field(name="is_required", kind="boolean"),
    ),
    present=_present,
)


@dataclass(frozen=True, slots=True)
class _Wish:
    index: int
    module: Record
    values: JsonObject


def list_attachable(call: Call) -> SimulatedResponse:
    """Return the modules of the course's institution that are not attached to it."""
    course = call.named("courses")
    attached = _attached(call, course)
    hides = call.switches.attachable_hides_inactive == "yes"
    modules = call.store.table("modules").find_live(
        call.tenant, "institution_uuid", course.text("institution_uuid")
    )
    free = [
        module
        for module in modules
        if module.uuid not in attached and not (hides and module.values.get("is_active") is False)
    ]
    return list_nested(call, MODULE, free)


def attach(call: Call) -> SimulatedResponse:
    """Attach modules, in the way the switch says when some already are."""
    course = call.named("courses")
    wishes = _read_wishes(call, course)
    attached = _attached(call, course)
    repeats: Errors = {
        f"modules.{wish.index}.uuid": ["The module is already attached to the course."]
        for wish in wishes
        if wish.module.uuid in attached
    }
    if repeats:
        call.marks.add("repeated_attach")
    if repeats and call.switches.attach_batch == "all_or_nothing":
        raise invalid(repeats)
    made = [_make(call, wish) for wish in wishes if wish.module.uuid not in attached]
    if repeats and call.switches.attach_batch == "partial_422":
        return refused_response(invalid(repeats), edition=call.switches.edition)
    data = [_present(call, record) for record in made]
    if call.switches.write_status != "200" and call.switches.attach_status == "204":
        return SimulatedResponse(204)
    return call.success(int(call.switches.attach_status), {"data": data})


def detach(call: Call) -> SimulatedResponse:
    """Detach modules; those that are not attached are passed over."""
    course = call.named("courses")
    uuids = _required_list(call)
    errors: Errors = {}
    for index, uuid in enumerate(uuids):
        name = f"modules.{index}"
        faults = check_uuid(call, uuid, name=name, table="modules")
        if faults:
            errors[name] = faults
    if errors:
        raise invalid(errors)
    attached = _attached(call, course)
    for uuid in uuids:
        record = attached.get(str(uuid).lower())
        if record is not None:
            remove(call, "attachments", record, action="detached")
    return call.success(204, {"message": "Detached."})


def _attached(call: Call, course: Record) -> dict[str, Record]:
    found = call.store.table("attachments").find_live(call.tenant, "course_uuid", course.uuid)
    return {record.text("module_uuid"): record for record in found}


def _required_list(call: Call) -> list[object]:
    modules = call.body().get("modules")
    if not isinstance(modules, list) or not modules:
        raise invalid({"modules": ["The modules field is required."]})
    return modules


def _read_wishes(call: Call, course: Record) -> list[_Wish]:
    errors: Errors = {}
    wishes: list[_Wish] = []
    for index, item in enumerate(_required_list(call)):
        wish, faults = _read_wish(call, course, index=index, item=item)
        errors |= faults
        if wish is not None:
            wishes.append(wish)
    uuids = [wish.module.uuid for wish in wishes]
    if len(uuids) != len(set(uuids)):
        errors["modules"] = ["The modules field has a duplicate value."]
    if errors:
        raise invalid(errors)
    return wishes


def _read_wish(
    call: Call, course: Record, *, index: int, item: object
) -> tuple[_Wish | None, Errors]:
    name = f"modules.{index}"
    if not isinstance(item, dict):
        return None, {name: [f"The {name} field must be an object."]}
    faults = check_uuid(call, item.get("uuid"), name=f"{name}.uuid", table="modules")
    if faults:
        return None, {f"{name}.uuid": faults}
    module = call.store.table("modules").get(item["uuid"])
    assert module is not None
    if module.values.get("institution_uuid") != course.values.get("institution_uuid"):
        return None, {f"{name}.uuid": selected_is_invalid(f"{name}.uuid")}
    errors = _value_faults(item, name) | _group_faults(call, course, item=item, name=name)
    if errors:
        return None, errors
    return _Wish(index, module, _values(course, module, item)), {}


def _value_faults(item: JsonObject, name: str) -> Errors:
    errors: Errors = {}
    for column in ("order", "workload"):
        value = item.get(column)
        is_number = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        if value is not None and not is_number:
            errors[f"{name}.{column}"] = [f"The {name}.{column} field must be an integer."]
    if not isinstance(item.get("is_required"), bool | None):
        errors[f"{name}.is_required"] = [f"The {name}.is_required field must be true or false."]
    return errors


def _group_faults(call: Call, course: Record, *, item: JsonObject, name: str) -> Errors:
    uuid = item.get(_GROUP)
    if uuid is None:
        return {}
    field = f"{name}.{_GROUP}"
    faults = check_uuid(call, uuid, name=field, table="module_groups")
    group = None if faults else call.own("module_groups", str(uuid))
    if group is not None and group.values.get("course_uuid") != course.uuid:
        faults = selected_is_invalid(field)
    return {field: faults} if faults else {}


def _values(course: Record, module: Record, item: JsonObject) -> JsonObject:
    group = item.get(_GROUP)
    is_required = item.get("is_required")
    workload = item.get("workload")
    return {
        "course_uuid": course.uuid,
        "module_uuid": module.uuid,
        "order": item.get("order"),
        "is_required": module.values.get("is_required") if is_required is None else is_required,
        "workload": module.values.get("workload") if workload is None else workload,
        _GROUP: group.lower() if isinstance(group, str) else None,
    }


def _make(call: Call, wish: _Wish) -> Record:
    record = call.store.make(
        "attachments", call.tenant, values=wish.values, now=call.now, rng=call.rng
    )
    call.note("attached", record, "attachments")
    return record
