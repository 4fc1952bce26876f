"""Detach modules from a course, all of them in one call, confirmed by the attachable list.

```
DELETE with plain uuids ─► list again ─┬─ shows the module ──────────────► done
                                       ├─ module inactive, so maybe hidden ► the answer decides
                                       └─ does not show it ──────────────► held, or tried again
```
"""

from collections.abc import Generator, Sequence
from typing import Final

from ledger.reference import TargetId
from sync.dispatcher.asking import ask, walk
from sync.dispatcher.decide import done, held, in_doubt, put_off, put_off_unknown
from sync.dispatcher.procedures import requests
from sync.dispatcher.procedures.attachable import (
    UNSEEN_FACT,
    detach_path,
    free_modules,
    is_inactive,
    not_seen,
    pair_of,
    settle_unknown,
    shows_inactive,
)
from sync.dispatcher.procedures.certificates import names
from sync.dispatcher.procedures.read import read_other
from sync.dispatcher.procedures.rules import Rules
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import (
    After,
    Conversation,
    Outcome,
    Progress,
    Reply,
    Settlement,
    Step,
    Work,
)
from sync.dokstamp.answer import Answer, Meaning
from sync.dokstamp.envelope import uuid_of
from sync.dokstamp.listing import Unknown
from sync.dokstamp.request import Request

TRIES_MAX: Final = 5
TRIES_FACT: Final = "detach_tries"

_JUDGED_BY_LIST: Final = frozenset(
    {Meaning.DONE, Meaning.REFUSED, Meaning.MISSING, Meaning.INVALID}
)


def detach(works: tuple[Work, ...], *, rules: Rules) -> Conversation:
    """Settle the removals of attachments."""
    settled = [_without_call(work) for work in works]
    pending = [work for work, known in zip(works, settled, strict=True) if known is None]
    found: list[Settlement] = [known for known in settled if known is not None]
    for course in dict.fromkeys(_course(work) for work in pending):
        of_course = [work for work in pending if _course(work) == course]
        found.extend((yield from _detach_from(course, of_course, rules)))
    return tuple(found)


def request_detach(course: TargetId, modules: Sequence[TargetId]) -> Request:
    """Return the request that detaches: plain uuids, where attaching takes objects (trap 13)."""
    return requests.delete(detach_path(course), {"modules": list(modules)})


def detach_all(
    work: Work, course: TargetId, *, rules: Rules
) -> Generator[Step, Reply, Settlement | Reason | None]:
    """Detach every module of a course that is to be deleted; a reason if that does not succeed."""
    institution = requests.target_of(work, "institution_id")
    listing = yield from walk(
        "/modules",
        route="/modules",
        filters=(("institution_uuid", institution),) if institution else (),
        page_size=rules.page_size,
        keep=lambda row: institution is None or names(row, "institution", institution),
    )
    if isinstance(listing, Unknown):
        return put_off_unknown(work, listing)
    modules = [TargetId(uuid_of(row)) for row in listing.rows]
    attached = yield from _attached(work, course, modules, rules)
    if isinstance(attached, Settlement):
        return attached
    if not attached:
        return None
    answer = yield from ask(request_detach(course, attached), (work.operation,))
    if answer.meaning not in _JUDGED_BY_LIST:
        return put_off(work, answer)
    left = yield from _attached(in_doubt(work), course, attached, rules)
    if isinstance(left, Settlement):
        return left
    return Reason.KEPT_DELETE_REFUSED if left else None


def once_more(work: Work, *, rules: Rules) -> Generator[Step, Reply, Settlement]:
    """Try again after a pause, a bounded number of times: a 5xx to a DELETE may be lasting."""
    fact = work.progress.get(TRIES_FACT)
    tries = (fact if isinstance(fact, int) else 0) + 1
    if tries >= TRIES_MAX:
        return held(work, Reason.DETACH_REFUSED)
    yield Progress(work.operation, facts={TRIES_FACT: tries})
    return Settlement(
        work.operation,
        Outcome.UNCERTAIN,
        Reason.DETACH_REFUSED,
        retry_seconds=rules.delete_pause_seconds,
        counts_as_failure=False,
    )


def is_definite(answer: Answer) -> bool:
    """Tell whether a refusal is the service's last word: a 4xx, never sent again unchanged."""
    return answer.status is not None and answer.status < 500


def _attached(
    work: Work, course: TargetId, modules: Sequence[TargetId], rules: Rules
) -> Generator[Step, Reply, list[TargetId] | Settlement]:
    free = yield from free_modules(course, modules, rules=rules)
    if isinstance(free, Unknown):
        (settled,) = yield from settle_unknown((work,), course, free, rules=rules)
        # With the course gone there is nothing left that a module could be attached to.
        return settled if settled is not None else []
    return [module for module in modules if module.casefold() not in free]


def _without_call(work: Work) -> Settlement | None:
    if work.target is None:
        return done(work, after=After.UNCHANGED, reason=Reason.NEVER_MADE)
    if work.is_retired and not work.possibly_sent:
        return done(work, after=After.RETIRED, reason=Reason.ALREADY_SO)
    return None


def _detach_from(
    course: TargetId, works: list[Work], rules: Rules
) -> Generator[Step, Reply, list[Settlement]]:
    """Settle the removals of one course; what an earlier request did is found out first."""
    settled: list[Settlement] = []
    if any(work.possibly_sent for work in works):
        settled, works = yield from _confirm(course, works, rules)
        if not works:
            return settled
    answer = yield from _send(course, works)
    if answer.meaning is Meaning.REFUSED and is_definite(answer) and len(works) > 1:
        # One of them may not be attached any more and spoil the others: each on its own then.
        for work in works:
            settled.extend((yield from _detach_from(course, [work], rules)))
        return settled
    return settled + (yield from _judge(course, works, answer, rules))


def _send(course: TargetId, works: list[Work]) -> Generator[Step, Reply, Answer]:
    modules = [pair_of(TargetId(str(work.target))).module for work in works]
    operations = tuple(work.operation for work in works)
    return (yield from ask(request_detach(course, modules), operations))


def _judge(
    course: TargetId, works: list[Work], answer: Answer, rules: Rules
) -> Generator[Step, Reply, list[Settlement]]:
    if answer.meaning not in _JUDGED_BY_LIST:
        return [put_off(work, answer) for work in works]
    doubted = [in_doubt(work) for work in works]
    settled, left = yield from _confirm(course, doubted, rules)
    for work in left:
        settled.append((yield from _not_seen(work, answer, rules)))
    return settled


def _confirm(
    course: TargetId, works: list[Work], rules: Rules
) -> Generator[Step, Reply, tuple[list[Settlement], list[Work]]]:
    """Return what the list settles, and those it does not show as free."""
    modules = {work.operation: pair_of(TargetId(str(work.target))).module for work in works}
    free = yield from free_modules(course, modules.values(), rules=rules)
    if isinstance(free, Unknown):
        unknown = yield from settle_unknown(works, course, free, rules=rules)
        gone = [done(work, after=After.RETIRED, reason=Reason.ALREADY_GONE) for work in works]
        pairs = zip(unknown, gone, strict=True)
        return [settlement or otherwise for settlement, otherwise in pairs], []
    is_free = {work.operation: modules[work.operation].casefold() in free for work in works}
    settled = [done(work, after=After.RETIRED) for work in works if is_free[work.operation]]
    return settled, [work for work in works if not is_free[work.operation]]


def _not_seen(work: Work, answer: Answer, rules: Rules) -> Generator[Step, Reply, Settlement]:
    """Return what it means that the list does not show a module after its detach."""
    if answer.meaning is Meaning.REFUSED and not is_definite(answer):
        return (yield from once_more(work, rules=rules))
    if answer.meaning is not Meaning.DONE and not work.progress.get(UNSEEN_FACT):
        return held(work, Reason.DETACH_REFUSED)
    if is_inactive(work):
        return done(work, after=After.RETIRED)
    module = pair_of(TargetId(str(work.target))).module
    seen = yield from read_other(work, "module", module, rules=rules)
    if isinstance(seen, Settlement):
        return seen
    if seen is None or shows_inactive(seen):
        return done(work, after=After.RETIRED)
    return (yield from not_seen(work, Reason.DETACH_NOT_SEEN, rules=rules))


def _course(work: Work) -> TargetId:
    return pair_of(TargetId(str(work.target))).course
