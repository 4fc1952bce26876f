"""Module groups: semesters, periods and areas inside one course (API 11.5)."""

from sync.resources.definition import Resource
from sync.resources.fields import Field
from sync.resources.values import Flag, Link, Text, Whole

MODULE_GROUP = Resource(
    entity="module_group",
    path="/courses/{course_uuid}/modules/groups",
    fields=(
        Field("course_id", Link("course"), is_required=True, is_parent=True, is_sent=False),
        Field("name", Text(255, keeps_case=True), is_required=True),
        Field("order", Whole()),
        Field("is_active", Flag(), default=True),
    ),
    keys=(("course_id", "name"),),
    lane_key=("course", "course_id"),
    # No filter is documented: the groups of one course are few, and listed whole.
    filtered=(),
    retired={"is_active": False},
)
