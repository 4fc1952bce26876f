"""Look once more at a record that was made after an unclear answer, long after that answer.

Within the settle window nothing is made twice. A request that took effect even later made a second
record beside the one that was made in its place; nobody but a person can say which one is meant.

```
complete search ─┬─ nothing beside what is bound ─► done, and nobody hears of it
                 └─ another that stands for nothing ► held; nothing is deleted by itself
```

An attachment needs no look: DokStamp never attaches a module twice (API 11.4).
"""

from collections.abc import Generator, Iterable

from ledger.reference import Json, TargetId, same_target
from sync.dispatcher.decide import held, without_doubt
from sync.dispatcher.procedures.find import holders, listed, unknown, verdicts
from sync.dispatcher.procedures.live_certificates import find_live
from sync.dispatcher.procedures.requests import entity, state
from sync.dispatcher.procedures.rules import Rules
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import Outcome, Reply, Settlement, Step, Work
from sync.dokstamp.envelope import Row, uuid_of
from sync.dokstamp.listing import Unknown
from sync.resources.definition import Match

Rows = tuple[Row, ...]


def recheck(work: Work, *, rules: Rules) -> Generator[Step, Reply, Settlement]:
    """Settle a late look."""
    # It sends nothing, so that nothing of it can ever be in doubt.
    clear = without_doubt(work)
    if not _is_searchable(clear):
        return _ended(clear, Reason.NOT_LOOKED)
    is_certificate = work.reference.entity == "certificate"
    look = _certificates if is_certificate else _records
    rows = yield from look(clear, rules)
    if isinstance(rows, Settlement):
        return rows
    others = yield from _unclaimed(rows)
    if not others:
        return _ended(clear, Reason.NOTHING_LATE)
    facts: dict[str, Json] = {"second": list(others)}
    return held(clear, Reason.SECOND_RECORD, facts=facts)


def _is_searchable(work: Work) -> bool:
    """Tell whether everything is bound that the search goes by."""
    named = entity(work).references(state(work))
    return bool(work.wanted) and all(each.ref in work.targets for each in named)


def _records(work: Work, rules: Rules) -> Generator[Step, Reply, Rows | Settlement]:
    """Return every row that is, or may be, what the doubtful request would have made."""
    listing = yield from listed(work, rules=rules)
    if isinstance(listing, Unknown):
        why = yield from unknown(work, listing, rules)
        # Groups vanish with their course, and then there is nothing to compare.
        is_gone = why.reason == Reason.REFERENCE_MISSING
        return _ended(work, Reason.NOT_LOOKED) if is_gone else why
    beside = tuple(row for row in listing.rows if not _is_bound(work, row))
    found = yield from verdicts(work, beside, rules)
    if isinstance(found, Settlement):
        return found
    # Whose a row is may not be shown: that is unknown, which is never absent.
    return tuple(row for row, match in found if match in {Match.SAME, Match.NOT_SHOWN})


def _certificates(work: Work, rules: Rules) -> Generator[Step, Reply, Rows | Settlement]:
    """Return every live certificate for the same, whatever file it was made with."""
    live = yield from find_live(work, rules=rules)
    if isinstance(live, Settlement):
        return live
    return tuple(row for row in live.blocking if not _is_bound(work, row))


def _unclaimed(rows: Iterable[Row]) -> Generator[Step, Reply, tuple[str, ...]]:
    """Return the uuids of those that stand for no source record."""
    found = tuple(uuid_of(row) for row in rows)
    if not found:
        return ()
    held_by = yield from holders(found)
    return tuple(uuid for uuid in found if uuid.casefold() not in held_by)


def _is_bound(work: Work, row: Row) -> bool:
    return work.target is not None and same_target(TargetId(uuid_of(row)), work.target)


def _ended(work: Work, reason: Reason) -> Settlement:
    return Settlement(work.operation, Outcome.DONE, reason)
