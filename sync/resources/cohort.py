"""Cohorts: one intake or graduating class of a course (API 11.7)."""

from sync.resources.definition import Match, Resource
from sync.resources.fields import Field
from sync.resources.times import Moment
from sync.resources.values import Choice, Link, Text

COHORT = Resource(
    entity="cohort",
    path="/cohorts",
    fields=(
        Field("course_id", Link("course"), is_required=True, is_parent=True),
        Field("code", Text(), is_required=True),
        # Not the words that modules use (API 14, trap 7).
        Field("modality", Choice(("presential", "remote", "hybrid"))),
        Field("start_date", Moment()),
        Field("end_date", Moment()),
    ),
    # How far a code is unique is not documented: by code alone, then the course must agree.
    keys=(("code",),),
    is_key_unique=True,
    identity=("course_id",),
    conflict=Match.OTHER_COURSE,
    # Cohorts are history: an ended one stays as it is.
    retired=None,
)
