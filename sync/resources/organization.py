"""Organizations: faculties, departments and campuses of an institution (API 11.2)."""

from sync.resources.definition import Resource
from sync.resources.fields import Field
from sync.resources.values import Link, Text

ORGANIZATION = Resource(
    entity="organization",
    path="/organizations",
    fields=(
        Field("institution_id", Link("institution"), is_required=True, is_parent=True),
        Field("name", Text(255), is_required=True),
        Field("code", Text()),
    ),
    keys=(("institution_id", "code"), ("institution_id", "name")),
    # DokStamp knows no inactive organization, and deleting one would leave its courses behind.
    retired=None,
)
