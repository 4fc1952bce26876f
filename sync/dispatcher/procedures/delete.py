"""Delete for real what nothing depends on, under the delete policy that allows it (API 9.3, 6.4).

```
every dependant listed whole ─┬─ some ─────────────► archive instead
                              └─ none ─► detach a course's modules ─► DELETE
DELETE ─┬─ done ──────────────────────────────────► deleted, the binding is released
        ├─ 5xx ─► a pause, one more try ─┐
        └─ 409, 422 ─────────────────────┴─► still there? archive instead
```

Modules and students are never deleted (API 9.4, 12), enrollments and certificates neither.
"""

from collections.abc import Callable, Generator, Mapping
from typing import Final

from ledger.reference import TargetId
from sync.dispatcher.asking import ask, walk
from sync.dispatcher.decide import done, in_doubt, put_off, put_off_unknown, without_doubt
from sync.dispatcher.procedures import requests
from sync.dispatcher.procedures.certificates import names
from sync.dispatcher.procedures.detach import detach_all
from sync.dispatcher.procedures.read import read
from sync.dispatcher.procedures.rules import Rules
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import After, Outcome, Progress, Reply, Settlement, Step, Work
from sync.dokstamp.answer import Answer, Meaning
from sync.dokstamp.listing import Unknown

DEPENDANTS: Final[Mapping[str, tuple[str, ...]]] = {
    "institution": (
        "/courses",
        "/modules",
        "/certificates",
        "/organizations",
        "/certificate-templates",
    ),
    "course": ("/cohorts", "/enrollments", "/certificates"),
    "cohort": ("/enrollments", "/certificates"),
}
"""What may be deleted, and the lists that must hold nothing that names it."""

REFUSED_FACT: Final = "delete_refused"
INSTEAD_FACT: Final = "instead"

Way = Callable[..., Generator[Step, Reply, Settlement]]


def delete(work: Work, *, rules: Rules, instead: Way) -> Generator[Step, Reply, Settlement]:
    """Settle a removal by deleting, or by `instead` where that may not or cannot be done."""
    target = TargetId(str(work.target))
    if INSTEAD_FACT in work.progress:
        return (yield from instead(work, rules=rules, reason=str(work.progress[INSTEAD_FACT])))
    if work.possibly_sent:
        seen = yield from read(work, target, rules=rules)
        if isinstance(seen, Settlement):
            return seen
        if seen is None:
            return done(work, after=After.RELEASED, reason=Reason.DELETED)
    obstacle = yield from _obstacle(work, target, rules)
    if isinstance(obstacle, Settlement):
        return obstacle
    if obstacle is not None:
        return (yield from _turn_to(instead, work, obstacle, rules))
    answer = yield from ask(requests.delete(requests.address(work, target)), (work.operation,))
    return (yield from _judge(work, answer, rules, instead))


def _obstacle(
    work: Work, target: TargetId, rules: Rules
) -> Generator[Step, Reply, Settlement | Reason | None]:
    """Return why the record may not be deleted, or None once nothing stands in the way."""
    link = work.reference.entity
    for path in DEPENDANTS[link]:
        listing = yield from walk(
            path,
            route=path,
            filters=((f"{link}_uuid", target),),
            page_size=rules.page_size,
            keep=lambda row: names(row, link, target),
        )
        if isinstance(listing, Unknown):
            return put_off_unknown(work, listing)
        if listing.rows:
            return Reason.KEPT_IN_USE
    if link == "course":
        # Or its modules would stay attached to a course that nobody can reach (API 14, trap 25).
        return (yield from detach_all(work, target, rules=rules))
    return None


def _judge(
    work: Work, answer: Answer, rules: Rules, instead: Way
) -> Generator[Step, Reply, Settlement]:
    match answer.meaning:
        case Meaning.DONE:
            return done(work, after=After.RELEASED, reason=Reason.DELETED)
        case Meaning.REFUSED if _is_worth_one_more(work, answer):
            yield Progress(work.operation, facts={REFUSED_FACT: True})
            return Settlement(
                work.operation,
                Outcome.UNCERTAIN,
                Reason.DELETE_REFUSED,
                retry_seconds=rules.delete_pause_seconds,
                counts_as_failure=False,
            )
        case Meaning.REFUSED | Meaning.MISSING | Meaning.INVALID:
            seen = yield from read(in_doubt(work), TargetId(str(work.target)), rules=rules)
            if isinstance(seen, Settlement):
                return seen
            if seen is None:
                return done(work, after=After.RELEASED, reason=Reason.DELETED)
            return (yield from _turn_to(instead, work, Reason.KEPT_DELETE_REFUSED, rules))
        case _:
            return put_off(work, answer)


def _is_worth_one_more(work: Work, answer: Answer) -> bool:
    """Tell whether the refusal may have been an outage; a 4xx never is, and never sent again."""
    return (answer.status or 0) >= 500 and REFUSED_FACT not in work.progress


def _turn_to(
    instead: Way, work: Work, reason: Reason, rules: Rules
) -> Generator[Step, Reply, Settlement]:
    yield Progress(work.operation, facts={INSTEAD_FACT: reason.value})
    # The record was seen after any DELETE of it: nothing is in doubt any more.
    return (yield from instead(without_doubt(work), rules=rules, reason=reason.value))
