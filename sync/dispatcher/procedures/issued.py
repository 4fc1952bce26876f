"""What a certificate's state settles, once it is there (API 11.11)."""

from collections.abc import Generator
from dataclasses import replace
from typing import Final

from ledger.reference import Json, TargetId
from sync.dispatcher.decide import done, held
from sync.dispatcher.procedures.find import holders
from sync.dispatcher.procedures.read import read
from sync.dispatcher.procedures.rules import Rules
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import (
    After,
    Outcome,
    Progress,
    Reply,
    Settlement,
    Step,
    Work,
)
from sync.dokstamp.envelope import Row, uuid_of

POLLS_FACT: Final = "polls"


def judge_issued(work: Work, row: Row, *, rules: Rules) -> Generator[Step, Reply, Settlement]:
    """Settle by a certificate that is certainly ours: bound at once, whatever its state."""
    bound = replace(work, target=TargetId(uuid_of(row)))
    match row.get("status"):
        case "issued" if row.get("public_verification_url"):
            return _issued(bound, row)
        case "expired":
            return done(bound, reason=Reason.EXPIRED, facts=_facts(row))
        case "revoked":
            return held(bound, Reason.REVOKED_MEANWHILE, target=bound.target, after=After.REVOKED)
        case _:
            return (yield from _wait(bound, row, rules))


def adopt_issued(work: Work, row: Row, *, rules: Rules) -> Generator[Step, Reply, Settlement]:
    """Settle by a certificate that holds our file, unless it stands for another record."""
    held_by = yield from holders([uuid_of(row)])
    is_free = held_by.get(uuid_of(row).casefold(), work.reference) == work.reference
    if not is_free or row.get("status") == "revoked":
        # One file serves one certificate, also after that one was revoked (API 14, trap 17).
        return held(work, Reason.FILE_USED)
    return (yield from judge_issued(work, row, rules=rules))


def look_again(work: Work, target: TargetId, *, rules: Rules) -> Generator[Step, Reply, Settlement]:
    """Settle a certificate that was made before and was not finished then."""
    seen = yield from read(work, target, rules=rules)
    if isinstance(seen, Settlement):
        return seen
    if seen is None:
        return held(work, Reason.MISSING, after=After.MISSING)
    return (yield from judge_issued(work, seen, rules=rules))


def _wait(work: Work, row: Row, rules: Rules) -> Generator[Step, Reply, Settlement]:
    """Look again a few times, then tell a person; the certificate is never asked for again."""
    fact = work.progress.get(POLLS_FACT)
    polls = fact if isinstance(fact, int) else 0
    if polls >= rules.issue_polls_max:
        if row.get("status") == "issued":
            return done(work, reason=Reason.ISSUED_WITHOUT_URL, facts=_facts(row))
        return held(work, Reason.LEFT_IN_DRAFT)
    yield Progress(work.operation, facts={POLLS_FACT: polls + 1}, bind=work.target)
    return Settlement(
        work.operation,
        Outcome.RETRY,
        Reason.ISSUING,
        target=work.target,
        retry_seconds=rules.issue_poll_seconds,
        counts_as_failure=False,
    )


def _issued(work: Work, row: Row) -> Settlement:
    return done(work, facts=_facts(row))


def _facts(row: Row) -> dict[str, Json]:
    """Return what the audit trail shows: the address as it was returned, never built."""
    named = ("public_verification_url", "issued_at", "status")
    return {name: value for name in named if isinstance(value := row.get(name), str)}
