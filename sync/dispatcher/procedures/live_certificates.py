"""The certificates that a student already has in a course, and what they mean for a new one."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field

from ledger.reference import TargetId, same_target
from sync.dispatcher.decide import held, put_off_unknown
from sync.dispatcher.procedures.certificates import list_certificates, named_uuid, names
from sync.dispatcher.procedures.read import read
from sync.dispatcher.procedures.requests import target_of
from sync.dispatcher.procedures.rules import Rules
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import Reply, Settlement, Step, Work
from sync.dokstamp.envelope import Row, uuid_of
from sync.dokstamp.listing import Unknown

_LIVE = frozenset({"draft", "issued"})
ROWS_READ_MAX = 20
"""How many rows that a list shows in part are read alone."""


@dataclass(frozen=True, slots=True)
class Live:
    """Every certificate of a student in a course, seen in a whole list."""

    rows: tuple[Row, ...] = field(repr=False)
    blocking: tuple[Row, ...] = field(default=(), repr=False)
    """The draft or issued ones for the same enrollment or cohort (API 11.11, rule 2)."""

    def made_with(self, file: str) -> Row | None:
        """Return the certificate whose file this is."""
        for row in self.rows:
            if any(same_target(TargetId(uuid), TargetId(file)) for uuid in _files(row)):
                return row
        return None


def find_live(work: Work, *, rules: Rules) -> Generator[Step, Reply, Live | Settlement]:
    """Return the certificates of the work's student in its course."""
    student, course = target_of(work, "student_id"), target_of(work, "course_id")
    named = (("student", student), ("course", course))
    listing = yield from list_certificates(
        tuple(
            (f"{link}_uuid", uuid)
            for link, uuid in (("course", course), ("student", student))
            if uuid
        ),
        rules=rules,
        keep=lambda row: all(_may_name(row, *each) for each in named),
    )
    if isinstance(listing, Unknown):
        return put_off_unknown(work, listing)
    whole = yield from _whole(work, listing.rows, rules)
    if isinstance(whole, Settlement):
        return whole
    rows = tuple(row for row in whole if all(names(row, *each) for each in named))
    return Live(rows, blocking=tuple(row for row in rows if _blocks(work, row)))


def _whole(
    work: Work, listed: tuple[Row, ...], rules: Rules
) -> Generator[Step, Reply, list[Row] | Settlement]:
    """Return the rows, those read alone of which the list leaves out what is looked for."""
    whole: list[Row] = []
    for row in listed:
        seen: Row | Settlement | None = row
        if _leaves_out(row):
            if len(whole) >= ROWS_READ_MAX:
                return held(work, Reason.LIST_UNKNOWN)
            seen = yield from read(work, TargetId(uuid_of(row)), rules=rules)
        if isinstance(seen, Settlement):
            return seen
        if seen is not None:
            whole.append(seen)
    return whole


def _leaves_out(row: Row) -> bool:
    has_links = all(named_uuid(row, link) is not None for link in ("student", "course"))
    return not has_links or not ("files" in row or "file_uuid" in row)


def _may_name(row: Row, link: str, target: TargetId | None) -> bool:
    return named_uuid(row, link) is None or names(row, link, target)


def _blocks(work: Work, row: Row) -> bool:
    """Tell whether a certificate is live and may be for the same thing as the wanted one."""
    if row.get("status") not in _LIVE:
        return False
    for link in ("enrollment", "cohort"):
        wanted, shown = target_of(work, f"{link}_id"), named_uuid(row, link)
        if wanted is not None and shown is not None:
            return same_target(wanted, shown)
    return True


def _files(row: Row) -> list[str]:
    """Return the uuids of a certificate's files; only an example shows their form (API 11.11)."""
    files = row.get("files")
    shown = [*(files if isinstance(files, list) else ()), {"file_uuid": row.get("file_uuid")}]
    return [uuid for each in shown for uuid in _uuids(each)]


def _uuids(shown: object) -> list[str]:
    values = [shown.get("uuid"), shown.get("file_uuid")] if isinstance(shown, Mapping) else [shown]
    return [value for value in values if isinstance(value, str) and value]
