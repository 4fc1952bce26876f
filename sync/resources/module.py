"""Modules: the subjects of an institution, attached to courses (API 11.6)."""

from sync.resources.definition import Resource
from sync.resources.fields import Field
from sync.resources.values import Choice, Flag, Link, Text, Whole

MODULE = Resource(
    entity="module",
    path="/modules",
    fields=(
        Field("institution_id", Link("institution"), is_required=True, is_parent=True),
        Field("name", Text(150), is_required=True),
        Field("code", Text(20)),
        Field("description", Text()),
        Field("syllabus", Text()),
        Field("workload", Whole()),
        Field("credits", Whole()),
        # Not the words that cohorts use (API 14, trap 7).
        Field("modality", Choice(("in_person", "online", "hybrid"))),
        Field("level", Choice(("undergraduate", "graduate", "technical", "open"))),
        Field("is_active", Flag(), default=True),
        Field("is_required", Flag(), cleared=False),
    ),
    keys=(("institution_id", "code"), ("institution_id", "name")),
    is_key_unique=True,
    is_fallback_strict=True,
    retired={"is_active": False},
)
