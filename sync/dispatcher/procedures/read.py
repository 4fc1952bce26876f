"""Read one record, and believe that it is gone only when its list agrees.

A 404 can also mean a wrong tenant, or a service that cannot read this kind by uuid (API 11, and
14, trap 3): the list tells these apart.
"""

from collections.abc import Generator
from dataclasses import replace

from ledger.reference import SourceRef, TargetId, same_target
from sync.dispatcher.asking import ask_record, walk
from sync.dispatcher.decide import held, put_off, put_off_unknown
from sync.dispatcher.procedures.requests import address, collection, entity, get, target_of
from sync.dispatcher.procedures.rules import Rules
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import Reply, Settlement, Step, Work
from sync.dokstamp.answer import Answer, Meaning
from sync.dokstamp.envelope import Row, record, uuid_of
from sync.dokstamp.listing import Unknown

Seen = Row | Settlement | None
"""A record; a settlement when nothing can be said now; or None: it is gone."""


def read(work: Work, target: TargetId, *, rules: Rules) -> Generator[Step, Reply, Seen]:
    """Return the operation's record as DokStamp shows it now."""
    answer = yield from ask_record(get(address(work, target)), (work.operation,))
    match answer.meaning:
        case Meaning.DONE:
            return record(answer)
        case Meaning.MISSING if shows_deleted(answer):
            return None
        case Meaning.MISSING:
            return (yield from _pick(work, target, rules=rules))
        case Meaning.INVALID | Meaning.REFUSED:
            return held(work, Reason.READ_REFUSED)
        case _:
            return put_off(work, answer)


def read_other(
    work: Work, entity: str, target: TargetId, *, rules: Rules
) -> Generator[Step, Reply, Seen]:
    """Return a course or module as DokStamp shows it now."""
    return (yield from read(replace(work, reference=SourceRef(entity, "")), target, rules=rules))


def _pick(work: Work, target: TargetId, *, rules: Rules) -> Generator[Step, Reply, Seen]:
    """Return the row of a whole list that has this uuid."""
    path = collection(work)
    listing = yield from walk(
        path,
        route=path,
        page_size=rules.page_size,
        keep=lambda row: same_target(TargetId(uuid_of(row)), target),
    )
    if isinstance(listing, Unknown):
        return (yield from without_list(work, listing, rules=rules))
    return listing.rows[0] if listing.rows else None


def without_list(
    work: Work, listing: Unknown, *, rules: Rules
) -> Generator[Step, Reply, Settlement | None]:
    """Return why the list is not known; None when it is gone with the course it lies under."""
    course = target_of(work, "course_id")
    is_nested = entity(work).is_nested
    if is_nested and course is not None and listing.answer.meaning is Meaning.MISSING:
        seen = yield from read_other(work, "course", course, rules=rules)
        if seen is None or isinstance(seen, Settlement):
            return seen
    return put_off_unknown(work, listing, is_nested=is_nested)


def shows_deleted(answer: Answer) -> bool:
    """Tell whether a missing record was shown, deleted: then there is nothing to confirm."""
    return answer.status is not None and 200 <= answer.status < 300
