"""One read before the first write of a run: is this our tenant, and does it answer? (trap 3)."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Final

from ledger.reference import TargetId, same_target
from sync.dispatcher.asking import ask, ask_record, walk
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import Reply, Step
from sync.dokstamp.answer import Answer, Meaning
from sync.dokstamp.envelope import Row, record, rows, uuid_of
from sync.dokstamp.listing import Unknown
from sync.dokstamp.request import Request, path_of

PATH = "/institutions"
_NO_SUCH_ROUTE: Final = 405


@dataclass(frozen=True, slots=True)
class Preflight:
    """Whether a run may write, and if not, why."""

    is_ready: bool
    reason: str = ""
    is_suspended: bool = False
    """Whether the institution is suspended: nothing may be issued for it (API 11.1)."""
    retry_after_seconds: float | None = None


def preflight(institution: TargetId | None) -> Generator[Step, Reply, Preflight]:
    """Return whether the tenant answers: its bound institution, or else the list of them."""
    if institution is None:
        query = (("page", "1"), ("per_page", "1"))
        answer = yield from ask(Request("GET", PATH, PATH, query=query))
        return _judge(answer, shows=rows(answer) is not None)
    path = PATH + path_of(institution)
    answer = yield from ask_record(Request("GET", path, path))
    row = record(answer)
    if answer.status == _NO_SUCH_ROUTE:
        # Only the list of this kind is sure to be there (API 11).
        listing = yield from walk(PATH, route=PATH, keep=lambda row: _is(row, institution))
        if isinstance(listing, Unknown):
            return _judge(listing.answer, shows=False)
        row = listing.rows[0] if listing.rows else None
        answer = answer if row is None else replace(answer, meaning=Meaning.DONE)
    if row is not None and row.get("status") == "suspended":
        return Preflight(is_ready=True, reason=Reason.INSTITUTION_SUSPENDED, is_suspended=True)
    return _judge(answer, shows=row is not None)


def _is(row: Row, institution: TargetId) -> bool:
    return same_target(TargetId(uuid_of(row)), institution)


def _judge(answer: Answer, *, shows: bool) -> Preflight:
    if answer.meaning is Meaning.DONE and shows:
        return Preflight(is_ready=True)
    if answer.meaning in {Meaning.MISSING, Meaning.UNAUTHORISED, Meaning.INVALID}:
        return Preflight(is_ready=False, reason=Reason.UNAUTHORISED)
    reason = Reason.THROTTLED if answer.meaning is Meaning.THROTTLED else Reason.UNAVAILABLE
    return Preflight(is_ready=False, reason=reason, retry_after_seconds=answer.retry_after_seconds)
