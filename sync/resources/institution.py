"""Institutions: the universities and schools that everything else belongs to (API 11.1)."""

from sync.resources.addresses import Website
from sync.resources.definition import Resource
from sync.resources.fields import Field
from sync.resources.values import Choice, Text

INSTITUTION = Resource(
    entity="institution",
    path="/institutions",
    fields=(
        Field("name", Text(255), is_required=True),
        Field("country", Text(), is_required=True),
        Field("legal_name", Text()),
        Field("tax_id", Text()),
        Field("website", Website()),
        Field(
            "status",
            Choice(("active", "inactive")),
            default="active",
            untouchable=frozenset({"suspended"}),
        ),
    ),
    keys=(("tax_id",), ("name",)),
    retired={"status": "inactive"},
)
