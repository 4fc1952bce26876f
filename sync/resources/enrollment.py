"""Enrollments: a student's registration in a course (API 11.9)."""

from sync.resources.definition import Agreement, Resource
from sync.resources.fields import Data, Field
from sync.resources.times import Day, is_before
from sync.resources.values import Choice, Fault, Grade, Link

COMPLETED = "completed"


def rules(data: Data) -> tuple[Fault, ...]:
    """Return what is wrong between status and dates, which DokStamp does not check."""
    enrolled, completed = data.get("enrolled_at"), data.get("completed_at")
    if data.get("completion_status") == COMPLETED and completed is None:
        return (Fault("data.completed_at", "required", "is required when the status is completed"),)
    if None not in (enrolled, completed) and is_before(completed, enrolled):
        return (Fault("data.completed_at", "order", "must not be before enrolled_at"),)
    return ()


ENROLLMENT = Resource(
    entity="enrollment",
    path="/enrollments",
    fields=(
        Field("student_id", Link("student"), is_required=True, is_parent=True),
        Field("course_id", Link("course"), is_required=True, is_parent=True),
        Field("enrolled_at", Day(), is_required=True),
        Field("cohort_id", Link("cohort")),
        Field(
            "completion_status",
            Choice(("enrolled", COMPLETED, "dropped")),
            default="enrolled",
        ),
        Field("grade", Grade()),
        Field("completed_at", Day()),
    ),
    keys=(("student_id", "course_id", "cohort_id"),),
    lane_key=("enrollment", "student_id", "course_id"),
    person_field="student_id",
    filtered=("course_id", "student_id"),
    retired={"completion_status": "dropped"},
    complete=("completion_status", COMPLETED),
    agreements=(Agreement("cohort_id", "course_id"),),
    rules=rules,
)
