"""Rows of a OneRoster package as source events: one verdict for every row, nothing guessed.

| row | becomes |
|---|---|
| org without a parent | institution (a department alone is refused: it is part of something) |
| other org | organization of the topmost org above it |
| course | course |
| class | cohort of its course, with the dates of its sessions |
| user who is a student | student, with the birth date of demographics |
| student's enrollment | enrollment in the course of the class, in that cohort |
| session, role, demographics | nothing of its own: the rows above draw on it |

A status of `tobedeleted` or `inactive` makes it the removal of that record.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sync.resources.definition import Fault
from sync.resources.values import is_email_like
from sync.sources.item import Skipped
from sync.sources.oneroster_dates import DateOrder, read_date, read_moment
from sync.sources.oneroster_index import Course, Index, Session
from sync.sources.oneroster_manifest import Manifest
from sync.sources.oneroster_table import Row

STUDENT: Final = "student"
_GONE: Final = frozenset({"tobedeleted", "inactive"})
_STATUSES: Final = _GONE | {"", "active"}


@dataclass(frozen=True, slots=True)
class Options:
    """What a package cannot say and an operator may."""

    country: str | None = None
    """OneRoster has no country, DokStamp wants one for institutions."""
    source: str | None = None
    date_order: DateOrder | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """An envelope that still has to be checked, and what is wrong with the rows behind it."""

    envelope: dict[str, object] = field(repr=False)
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class _State:
    """What a row says about a record, before it is known whether the record goes or stays."""

    entity: str
    subject: str
    data: Mapping[str, str | None] = field(repr=False)
    faults: tuple[Fault, ...] = ()
    stamps: tuple[str, ...] = ()


class Records:
    """Turns the rows of one package into drafts, in the order of `USED_FILES`."""

    def __init__(self, manifest: Manifest, options: Options) -> None:
        self.source = options.source or manifest.source
        self.index = Index()
        self._manifest = manifest
        self._options = options
        self._readers: Mapping[str, Callable[[Row], _State | Skipped]] = {
            "orgs": self._org,
            "academicsessions": self._session,
            "courses": self._course,
            "classes": self._class,
            "roles": self._role,
            "demographics": self._birth,
            "users": self._user,
            "enrollments": self._enrollment,
        }

    def take(self, file: str, row: Row) -> Draft | Skipped:
        """Return what becomes of one row."""
        state = self._readers[file](row)
        return state if isinstance(state, Skipped) else self._draft(row, state)

    def _draft(self, row: Row, state: _State) -> Draft:
        status = row["status"].casefold()
        is_gone = status in _GONE
        faults = () if is_gone else state.faults
        if status not in _STATUSES:
            message = "must be active, inactive or tobedeleted"
            faults = (*faults, Fault("status", "status", message))
        kind = f"{state.entity}.{'removed' if is_gone else 'upserted'}"
        data = None if is_gone else {k: v for k, v in state.data.items() if v}
        content = [self.source, kind, state.subject, data, [row["datelastmodified"], *state.stamps]]
        envelope: dict[str, object] = {
            "specversion": "1.0",
            "id": f"oneroster-{_digest(content)}",
            "source": self.source,
            "type": kind,
            "subject": state.subject,
        }
        time = read_moment(row["datelastmodified"], order=self._options.date_order)
        if time is not None:
            envelope["time"] = time
        if data is not None:
            envelope["data"] = data
        return Draft(envelope, faults)

    def _org(self, row: Row) -> _State | Skipped:
        subject = row["sourcedid"]
        place = self.index.place(subject)
        if isinstance(place, Fault):
            if row["status"].casefold() in _GONE:
                return Skipped("never_taken")
            return _State("organization", subject, {"name": row["name"]}, (place,))
        if place.organization_id is not None:
            return _State(
                "organization",
                subject,
                {"institution_id": place.institution_id, "name": row["name"]},
            )
        country = self._options.country
        data = {"name": row["name"], "country": country}
        return _State("institution", subject, data, () if country else (_NO_COUNTRY,))

    def _session(self, row: Row) -> Skipped:
        session = self.index.add_session(row, order=self._options.date_order)
        # What is wrong with it is a reason of every class that needs it.
        return Skipped("dates_unusable" if session.faults else "drawn_on")

    def _course(self, row: Row) -> _State:
        data: dict[str, str | None] = {"name": row["title"], "code": row["coursecode"]}
        place = self.index.place(row["orgsourcedid"])
        if isinstance(place, Fault):
            return _State("course", row["sourcedid"], data, (place,))
        data["institution_id"] = place.institution_id
        data["organization_id"] = place.organization_id
        return _State("course", row["sourcedid"], data)

    def _class(self, row: Row) -> _State:
        subject, course_id = row["sourcedid"], row["coursesourcedid"]
        named = [name.strip() for name in row["termsourcedids"].split(",") if name.strip()]
        sessions = [self.index.sessions.get(name) for name in named]
        known = [session for session in sessions if session is not None]
        faults = [fault for session in known for fault in session.faults]
        if len(known) < len(named) and self._manifest.is_delta("academicsessions"):
            # Without it the dates that were sent before would be cleared.
            faults.append(_NO_SESSION)
        dates = _span(known) if len(known) == len(named) else (None, None)
        stamps = tuple(session.stamp for session in known)
        self.index.classes[subject] = Course(course_id, dates[0], row["datelastmodified"])
        # A class code alone is often just a number, and DokStamp wants codes unique everywhere.
        code = f"{row['classcode']}/{subject}" if row["classcode"] else subject
        data = {
            "course_id": course_id,
            "code": code,
            "start_date": dates[0],
            "end_date": dates[1],
        }
        return _State("cohort", subject, data, tuple(faults), stamps)

    def _role(self, row: Row) -> Skipped:
        if row["status"].casefold() not in _GONE:
            self.index.add_role(row)
        return Skipped("drawn_on")

    def _birth(self, row: Row) -> Skipped:
        if row["status"].casefold() not in _GONE:
            self.index.add_birth(row)
        return Skipped("drawn_on")

    def _user(self, row: Row) -> _State | Skipped:
        subject = row["sourcedid"]
        roles = self.index.roles.get(subject) or frozenset({row["role"].casefold()} - {""})
        faults: tuple[Fault, ...] = ()
        if not roles and self._manifest.is_delta("roles"):
            faults = (_NO_ROLE,)
        elif STUDENT not in roles:
            self.index.students[subject] = False
            return Skipped("not_a_student")
        self.index.students[subject] = True
        written, stamp = self.index.births.get(subject, ("", ""))
        birth, fault = self._date(written, "data.date_of_birth", "demographics.birthDate")
        names = (row["givenname"], row["middlename"], row["familyname"])
        email = row["email"] or (row["username"] if is_email_like(row["username"]) else "")
        data = {
            "name": " ".join(name for name in names if name),
            "email": email,
            "date_of_birth": birth,
        }
        return _State("student", subject, data, (*faults, *fault), (stamp,))

    def _enrollment(self, row: Row) -> _State | Skipped:
        if row["role"].casefold() != STUDENT:
            return Skipped("not_a_student")
        class_id, student_id = row["classsourcedid"], row["usersourcedid"]
        found = self.index.classes.get(class_id)
        faults = [] if found else [_NO_CLASS]
        if not self.index.students.get(student_id, True):
            faults.append(_NO_STUDENT)
        begin, fault = self._date(row["begindate"], "data.enrolled_at", "enrollments.beginDate")
        data = {
            "student_id": student_id,
            "course_id": found.course_id if found else None,
            "cohort_id": class_id,
            "enrolled_at": begin or (found.start if found else None),
        }
        # School Data Sync knows an enrollment by its class and user only.
        subject = row["sourcedid"] or (
            f"{class_id}:{student_id}" if class_id and student_id else ""
        )
        stamps = (found.stamp,) if found else ()
        return _State("enrollment", subject, data, (*faults, *fault), stamps)

    def _date(self, text: str, field: str, column: str) -> tuple[str | None, tuple[Fault, ...]]:
        """Return the date; one that cannot be read stays as written, for who looks into it."""
        if not text:
            return None, ()
        day = read_date(text, order=self._options.date_order, field=field, column=column)
        return (text, (day,)) if isinstance(day, Fault) else (day, ())


def _span(sessions: list[Session]) -> tuple[str | None, str | None]:
    starts = [session.start for session in sessions if session.start]
    ends = [session.end for session in sessions if session.end]
    return min(starts, default=None), max(ends, default=None)


def _digest(content: object) -> str:
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:40]


_NO_COUNTRY: Final = Fault(
    "data.country", "required", "OneRoster has no country; give it by the country option"
)
_NO_SESSION: Final = Fault(
    "data.start_date",
    "session_missing",
    "the class names a session that is not in this package of changes; send both together",
)
_NO_ROLE: Final = Fault(
    "role",
    "role_unknown",
    "this package of changes has no role of the user; send the user's roles with the user",
)
_NO_CLASS: Final = Fault(
    "data.course_id",
    "class_missing",
    "the class is not in the package, so the course is unknown; send both together",
)
_NO_STUDENT: Final = Fault(
    "data.student_id",
    "role_disagrees",
    "the enrollment says student, the user's own roles do not; correct one of the two",
)
