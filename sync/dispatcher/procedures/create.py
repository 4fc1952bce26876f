"""Make a record that DokStamp may already have: search, then adopt or create (API 8).

```
search ─┬─ found ─► adopt
        └─ none ──► POST ─► taken ─► search without the filter ─┬─ found ─► adopt
                                                                └─ none ──► in doubt, and once
                                       more after the settle window, without a POST: then held
```
"""

from collections.abc import Generator
from dataclasses import replace
from typing import Final

from ledger.reference import TargetId
from sync.dispatcher.asking import ask_record
from sync.dispatcher.decide import dead, done, held, in_doubt, look_later, put_off, without_doubt
from sync.dispatcher.procedures.find import choose, find, find_again, find_former
from sync.dispatcher.procedures.refusal import missing_reference, refused_references
from sync.dispatcher.procedures.requests import collection, entity, post, state
from sync.dispatcher.procedures.rules import Institutions, Rules
from sync.dispatcher.procedures.update import adopt, bring, not_taken
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import Outcome, Progress, Reply, Settlement, Step, Work
from sync.dokstamp.answer import Answer, Meaning
from sync.dokstamp.envelope import Row, record, refused_fields, uuid_of
from sync.dokstamp.listing import Listing

TAKEN_FACT: Final = "taken"
"""The key fields that DokStamp said are taken, while no list showed by what."""

_EXPLAINED: Final = frozenset(
    {
        Reason.HELD_BY_ANOTHER,
        Reason.IDENTITY_DIFFERS,
        Reason.CODE_UNDER_ANOTHER_COURSE,
        Reason.REFERENCE_MISSING,
    }
)
"""Holds that show why DokStamp refused: nothing of ours can be there."""


def create(
    work: Work, *, rules: Rules, listing: Listing | None = None
) -> Generator[Step, Reply, Settlement]:
    """Settle an operation whose record is not bound yet; `listing` saves the search."""
    if work.reference.entity == "institution" and rules.institutions is Institutions.BIND:
        return held(work, Reason.BIND_INSTITUTION)
    if work.progress.get(TAKEN_FACT):
        settlement = yield from _look_again(work, rules)
        if settlement.outcome is Outcome.HELD:
            # Forgotten, so that a person's `outbox retry` tries it anew.
            yield Progress(work.operation, facts={TAKEN_FACT: None})
        return settlement
    if listing is None:
        found = yield from find(work, rules=rules)
    else:
        found = yield from choose(work, listing, rules=rules)
    if found is None:
        found = yield from find_former(work, rules=rules)
    if isinstance(found, Settlement):
        return found
    # The list was whole: whatever an earlier request did would have been seen.
    clear = without_doubt(work)
    if found is not None:
        return (yield from adopt(clear, found, rules=rules))
    return (yield from _make(clear, rules))


def _make(work: Work, rules: Rules) -> Generator[Step, Reply, Settlement]:
    body = entity(work).body(state(work), work.targets)
    answer = yield from ask_record(post(collection(work), body), (work.operation,))
    match answer.meaning:
        case Meaning.DONE:
            return (yield from _made(work, record(answer) or {}, rules))
        case Meaning.INVALID:
            return (yield from _refused(work, answer, rules))
        case Meaning.MISSING:
            missing = yield from missing_reference(work, ("course_uuid",), rules=rules)
            return missing or put_off(work, answer, is_nested=entity(work).is_nested)
        case _:
            return put_off(work, answer)


def _made(work: Work, row: Row, rules: Rules) -> Generator[Step, Reply, Settlement]:
    target = TargetId(uuid_of(row))
    # A status that was not followed leaves a draft that nobody looks at (API 14, trap 9).
    differing = not_taken(work, row, names=("status",))
    if not differing:
        return done(work, target)
    yield Progress(work.operation, bind=target)
    body = entity(work).differences(state(work), row, work.targets)
    bound = replace(work, target=target)
    return (yield from bring(bound, {name: body[name] for name in differing}, rules=rules))


def _refused(work: Work, answer: Answer, rules: Rules) -> Generator[Step, Reply, Settlement]:
    """Return what a refused create means, by what a fresh read shows."""
    fields = refused_fields(answer)
    is_about_key = bool(_key_fields(work).intersection(fields))
    # Taken, perhaps, by an earlier request of this very record.
    doubted = in_doubt(work) if is_about_key or not fields else work
    missing = yield from missing_reference(doubted, fields, rules=rules)
    if missing is not None:
        return _less_doubt(missing)
    if fields and not is_about_key and not refused_references(work, fields):
        return dead(work, Reason.REFUSED, fields=fields)
    found = yield from find_again(doubted, rules=rules)
    if isinstance(found, Settlement):
        return _less_doubt(found)
    if found is not None:
        return (yield from adopt(work, found, rules=rules))
    if not is_about_key:
        return dead(work, Reason.REFUSED, fields=fields)
    # What was made a moment ago may not be listed yet: absent once is not hidden.
    taken = sorted(_key_fields(work).intersection(fields))
    yield Progress(work.operation, facts={TAKEN_FACT: [*taken]})
    # Never as if nothing had been sent: a newcomer would take its place.
    return look_later(doubted, rules.settle_seconds)


def _look_again(work: Work, rules: Rules) -> Generator[Step, Reply, Settlement]:
    """Settle a create that was refused because its key is taken: it is not sent again."""
    found = yield from find_again(in_doubt(work), rules=rules)
    if isinstance(found, Settlement):
        return _less_doubt(found)
    # The list was whole once the settle window was over: nothing of ours is in it or to come.
    clear = without_doubt(work)
    if found is not None:
        return (yield from adopt(clear, found, rules=rules))
    taken = work.progress[TAKEN_FACT]
    fields = tuple(map(str, taken)) if isinstance(taken, list) else ()
    return held(clear, Reason.HIDDEN_RECORD, fields=fields)


def _less_doubt(settlement: Settlement) -> Settlement:
    """Return the settlement, without doubt where it explains the refusal."""
    is_explained = settlement.reason in _EXPLAINED
    return replace(settlement, in_doubt=False) if is_explained else settlement


def _key_fields(work: Work) -> frozenset[str]:
    """Return the fields of the request that make the record findable, references aside."""
    columns = entity(work).filters(state(work), work.targets)
    return frozenset(column for column, _ in columns) or frozenset({"name"})
