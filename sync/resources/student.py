"""Students: the people who receive certificates (API 11.8)."""

from sync.resources.addresses import Email
from sync.resources.definition import Match, Resource
from sync.resources.fields import Field
from sync.resources.times import Day
from sync.resources.values import PersonName, Text

STUDENT = Resource(
    entity="student",
    path="/students",
    fields=(
        Field("name", PersonName(255), is_required=True),
        Field("email", Email(), is_required=True),
        Field("date_of_birth", Day(), is_required=True),
        Field("gender", Text()),
        Field("social_name", Text(255)),
    ),
    keys=(("email",),),
    is_key_unique=True,
    identity=("date_of_birth", "name"),
    conflict=Match.OTHER_PERSON,
    person_field="",
    # A student who left keeps the record: certificates refer to it.
    retired=None,
)
