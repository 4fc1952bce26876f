"""What rows of a package say about one another: orgs, sessions, roles, birth dates, classes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from sync.resources.definition import Fault
from sync.sources.oneroster_dates import DateOrder, read_date
from sync.sources.oneroster_table import Row

_DEPTH_MAX: Final = 32
_INSTITUTION: Final = "data.institution_id"
# A part that must not pass for the whole when its parent is not named.
_PARTS: Final = frozenset({"department"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where an org stands: under which institution, and as which organization if not itself one."""

    institution_id: str
    organization_id: str | None


@dataclass(frozen=True, slots=True)
class Session:
    """An academic session's dates; a date that cannot be read is a fault of all who use it."""

    start: str | None = None
    end: str | None = None
    faults: tuple[Fault, ...] = ()
    stamp: str = ""


@dataclass(frozen=True, slots=True)
class Course:
    """What an enrollment needs to know of its class."""

    course_id: str
    start: str | None
    stamp: str


@dataclass(slots=True)
class Index:
    """Everything that must be remembered while a package is read."""

    orgs: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Parent and type of each org."""
    sessions: dict[str, Session] = field(default_factory=dict)
    classes: dict[str, Course] = field(default_factory=dict)
    roles: dict[str, frozenset[str]] = field(default_factory=dict)
    births: dict[str, tuple[str, str]] = field(default_factory=dict, repr=False)
    """Birth date, as written, and stamp of each user."""
    students: dict[str, bool] = field(default_factory=dict)
    """Whether each user of the package is a student."""

    def add_org(self, row: Row) -> None:
        """Remember where an org stands."""
        self.orgs[row["sourcedid"]] = (row["parentsourcedid"], row["type"].casefold())

    def add_session(self, row: Row, *, order: DateOrder | None) -> Session:
        """Remember a session's dates."""
        values: dict[str, str | None] = {}
        faults = []
        for name, column in (("start", "startdate"), ("end", "enddate")):
            text = row[column]
            label = f"academicSessions.{name}Date"
            day = read_date(text, order=order, field=label, column=label) if text else None
            if isinstance(day, Fault):
                faults.append(day)
            else:
                values[name] = day
        session = Session(
            values.get("start"), values.get("end"), tuple(faults), row["datelastmodified"]
        )
        self.sessions[row["sourcedid"]] = session
        return session

    def add_role(self, row: Row) -> None:
        """Remember one role of a user."""
        user = row["usersourcedid"]
        self.roles[user] = self.roles.get(user, frozenset()) | {row["role"].casefold()}

    def add_birth(self, row: Row) -> None:
        """Remember a user's birth date as it is written."""
        user = row["usersourcedid"] or row["sourcedid"]
        self.births[user] = (row["birthdate"], row["datelastmodified"])

    def place(self, org_id: str) -> Place | Fault:
        """Return where an org stands, or why its institution is unknown."""
        if not org_id:
            return _unknown("the record names no org; name the one it belongs to")
        for above, (parent, kind) in self._climb(org_id):
            if parent:
                continue
            if kind in _PARTS:
                return _unknown(f"the topmost org is a {kind}; add the org that it is a part of")
            return Place(above, None if above == org_id else org_id)
        return _unknown("the org, or one above it, is not in the package or stands above itself")

    def _climb(self, org_id: str) -> Iterator[tuple[str, tuple[str, str]]]:
        for _ in range(_DEPTH_MAX):
            found = self.orgs.get(org_id)
            if found is None:
                return
            yield org_id, found
            org_id = found[0]


def _unknown(message: str) -> Fault:
    return Fault(_INSTITUTION, "institution_unknown", message)
