"""Modules of an institution, and the groups of modules inside one course."""

from sync.simulator.call import Call
from sync.simulator.crud import create, destroy, show, update
from sync.simulator.entity import Dependant, Entity, Field, Unique, brief
from sync.simulator.institutions import deleted_at
from sync.simulator.listing import list_nested
from sync.simulator.message import JsonObject, SimulatedResponse
from sync.simulator.switches import Switches
from sync.simulator.tables import Record, stamp

_MODULE_FIELDS = (
    Field(name="name", required=True, maximum=150),
    Field(name="institution_uuid", kind="reference", table="institutions", required=True),
    Field(name="code", maximum=20),
    Field(name="description"),
    Field(name="syllabus"),
    Field(name="workload", kind="integer"),
    Field(name="credits", kind="integer"),
    Field(name="modality", choices=("in_person", "online", "hybrid")),
    Field(name="level", choices=("undergraduate", "graduate", "technical", "open")),
    Field(name="is_active", kind="boolean", default=True),
    Field(name="is_required", kind="boolean", default=False),
)


def _present_module(call: Call, record: Record) -> JsonObject:
    institution_uuid = record.values.get("institution_uuid")
    return {
        "uuid": record.uuid,
        **{
            item.name: record.values.get(item.name)
            for item in _MODULE_FIELDS
            if item.kind != "reference"
        },
        "institution": brief(call, "institutions", institution_uuid),
        "created_at": stamp(record.created_at),
        **deleted_at(record),
    }


def _unique_module(_switches: Switches) -> tuple[Unique, ...]:
    return (Unique(columns=("institution_uuid", "code"), error="code"),)


MODULE = Entity(
    table="modules",
    fields=_MODULE_FIELDS,
    present=_present_module,
    parents=frozenset({"institution_uuid"}),
    unique=_unique_module,
    dependants=(Dependant(table="attachments", column="module_uuid"),),
    indexed=("code",),
)


def _present_group(call: Call, record: Record) -> JsonObject:
    return {
        "uuid": record.uuid,
        "name": record.values.get("name"),
        "order": record.values.get("order"),
        "is_active": record.values.get("is_active"),
        "course": brief(call, "courses", record.values.get("course_uuid")),
        **deleted_at(record),
    }


MODULE_GROUP = Entity(
    table="module_groups",
    fields=(
        Field(name="name", required=True),
        Field(name="order", kind="integer"),
        Field(name="is_active", kind="boolean", default=True),
    ),
    present=_present_group,
    columns=("course_uuid",),
    indexed=("course_uuid", "name"),
)


def list_groups(call: Call) -> SimulatedResponse:
    """Return the groups of a course."""
    course = call.named("courses")
    groups = call.store.table("module_groups").find_live(call.tenant, "course_uuid", course.uuid)
    return list_nested(call, MODULE_GROUP, groups)


def create_group(call: Call) -> SimulatedResponse:
    """Make a group in a course."""
    return create(call, MODULE_GROUP, fixed={"course_uuid": call.named("courses").uuid})


def show_group(call: Call) -> SimulatedResponse:
    """Return one group of a course."""
    course = call.named("courses")
    record = call.store.table("module_groups").get(call.parameters["group_uuid"])
    if record is None or record.values.get("course_uuid") != course.uuid:
        call.refuse_path()
    return show(call, MODULE_GROUP, parameter="group_uuid")


def update_group(call: Call) -> SimulatedResponse:
    """Change a group."""
    return update(call, MODULE_GROUP, _named_group(call))


def destroy_group(call: Call) -> SimulatedResponse:
    """Delete a group; the attachments in it stay, without a group."""
    group = _named_group(call)
    attachments = call.store.table("attachments")
    column = "course_module_group_uuid"
    for attachment in attachments.find_live(call.tenant, column, group.uuid):
        attachments.change(attachment, {column: None})
    return destroy(call, MODULE_GROUP, group)


def _named_group(call: Call) -> Record:
    course = call.named("courses")
    group = call.named("module_groups", "group_uuid")
    if group.values.get("course_uuid") != course.uuid:
        call.refuse_path()
    return group
