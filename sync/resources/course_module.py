"""Course modules: a module attached to a course (API 11.4).

DokStamp can neither show nor change an attachment: `body` is the object that attaches, any
`changes` mean to detach and attach again, and retiring is detaching.
"""

from sync.resources.definition import Agreement, Resource
from sync.resources.fields import Field
from sync.resources.values import Flag, Link, Whole

COURSE_MODULE = Resource(
    entity="course_module",
    path="/courses/{course_uuid}/attach/modules",
    fields=(
        Field("course_id", Link("course"), is_required=True, is_sent=False),
        Field("module_id", Link("module"), remote_name="uuid", is_required=True),
        Field("order", Whole()),
        Field("is_required", Flag()),
        Field("workload", Whole()),
        Field("module_group_id", Link("module_group"), remote_name="course_module_group_uuid"),
    ),
    keys=(("course_id", "module_id"),),
    is_key_unique=True,
    lane_key=("course", "course_id"),
    filtered=(),
    agreements=(
        Agreement("module_group_id", "course_id"),
        Agreement("module_id", "institution_id", through="course_id"),
    ),
)
