"""Courses of an institution (API 11.3)."""

from sync.resources.definition import Agreement, Resource
from sync.resources.fields import Field
from sync.resources.values import Choice, Link, Text, Whole

COURSE = Resource(
    entity="course",
    path="/courses",
    fields=(
        Field("institution_id", Link("institution"), is_required=True, is_parent=True),
        Field("name", Text(255), is_required=True),
        Field("code", Text()),
        Field("description", Text()),
        Field("workload_hours", Whole()),
        Field("area", Text()),
        Field("version", Text()),
        # DokStamp's own default is a draft; a source that says nothing means an active course.
        Field(
            "status",
            Choice(("draft", "active", "archived")),
            default="active",
            assumed="active",
        ),
        Field("organization_id", Link("organization")),
    ),
    keys=(("institution_id", "code"), ("institution_id", "name")),
    is_fallback_strict=True,
    retired={"status": "archived"},
    agreements=(Agreement("organization_id", "institution_id"),),
)
