"""What an answer means for an operation: settlements, and the answers that put one off.

```
throttled, unavailable   ─► later, at no cost to the operation
unauthorised             ─► later; the worker stops the tenant
uncertain                ─► wait the settle window, then find out
done, invalid, missing, refused ─► the procedure knows
```
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from ledger.reference import Json, TargetId
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import After, Outcome, Settlement, Work
from sync.dokstamp.answer import Answer, Meaning
from sync.dokstamp.listing import Doubt, Unknown

_PUT_OFF: Final = {
    Meaning.THROTTLED: Reason.THROTTLED,
    Meaning.UNAVAILABLE: Reason.UNAVAILABLE,
    Meaning.UNAUTHORISED: Reason.UNAUTHORISED,
    Meaning.UNCERTAIN: Reason.UNCERTAIN,
    # Routes that always exist: only a wrong tenant or address makes them vanish (API 3.2).
    Meaning.MISSING: Reason.UNAUTHORISED,
}

_LASTING_DOUBTS: Final = frozenset({Doubt.REFUSED, Doubt.PAGE_IGNORED, Doubt.TOO_LONG})


def done(
    work: Work,
    target: TargetId | None = None,
    *,
    after: After = After.LIVE,
    reason: str = "",
    facts: Mapping[str, Json] | None = None,
) -> Settlement:
    """Return the settlement of an operation that came to its end."""
    return Settlement(
        work.operation,
        Outcome.DONE,
        reason,
        target=target or work.target,
        after=after,
        facts=facts or {},
    )


def held(
    work: Work,
    reason: str,
    *,
    fields: tuple[str, ...] = (),
    target: TargetId | None = None,
    after: After = After.UNCHANGED,
    facts: Mapping[str, Json] | None = None,
) -> Settlement:
    """Return the settlement of an operation that waits for a person."""
    return Settlement(
        work.operation,
        Outcome.HELD,
        reason,
        target=target,
        after=after,
        fields=fields,
        in_doubt=work.possibly_sent,
        facts=facts or {},
    )


def dead(work: Work, reason: str, *, fields: tuple[str, ...] = ()) -> Settlement:
    """Return the settlement of an operation that only a corrected event can heal."""
    return Settlement(work.operation, Outcome.DEAD, reason, fields=fields)


def look_later(work: Work, seconds: float) -> Settlement:
    """Return the settlement of an operation whose witness may not show the truth yet."""
    return Settlement(
        work.operation,
        Outcome.UNCERTAIN if work.possibly_sent else Outcome.RETRY,
        Reason.NOT_LISTED,
        retry_seconds=seconds,
        counts_as_failure=False,
    )


def uncertain(work: Work, reason: str = Reason.UNCERTAIN) -> Settlement:
    """Return the settlement of an operation that may have changed something."""
    return Settlement(work.operation, Outcome.UNCERTAIN, reason)


def put_off(work: Work, answer: Answer, *, is_nested: bool = False) -> Settlement:
    """Return the settlement of an operation that an answer says nothing about.

    While an earlier request of it has no known outcome it stays uncertain: ready to retry would
    mean that nothing was sent, and a newer event could take its place. A route that lies under a
    record (`is_nested`) says nothing about the tenant when it is missing.
    """
    reason = _PUT_OFF.get(answer.meaning, Reason.NOT_UNDERSTOOD)
    if is_nested and answer.meaning is Meaning.MISSING:
        reason = Reason.NOT_UNDERSTOOD
    is_uncertain = answer.meaning is Meaning.UNCERTAIN or work.possibly_sent
    return Settlement(
        work.operation,
        Outcome.UNCERTAIN if is_uncertain else Outcome.RETRY,
        reason,
        retry_seconds=answer.retry_after_seconds,
        counts_as_failure=reason in {Reason.UNCERTAIN, Reason.NOT_UNDERSTOOD},
    )


def put_off_unknown(work: Work, listing: Unknown, *, is_nested: bool = False) -> Settlement:
    """Return the settlement of an operation whose list is not known, which is never absence."""
    if listing.answer.meaning in _PUT_OFF:
        return put_off(work, listing.answer, is_nested=is_nested)
    if listing.reason in _LASTING_DOUBTS:
        return held(work, Reason.LIST_UNKNOWN)
    outcome = Outcome.UNCERTAIN if work.possibly_sent else Outcome.RETRY
    return Settlement(work.operation, outcome, Reason.LIST_UNKNOWN)


def without_doubt(work: Work) -> Work:
    """Return the work once it is known what became of its earlier requests."""
    return replace(work, possibly_sent=False)


def in_doubt(work: Work) -> Work:
    """Return the work once a step of it has changed something that a later step completes."""
    return replace(work, possibly_sent=True)
