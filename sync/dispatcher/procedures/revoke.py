"""Revoke a certificate: once, read first, and with a neutral text, since the public reads it."""

from collections.abc import Generator

from ledger.reference import TargetId
from sync.dispatcher.asking import ask
from sync.dispatcher.decide import done, held, in_doubt, put_off, without_doubt
from sync.dispatcher.procedures.read import read
from sync.dispatcher.procedures.requests import address, put, state
from sync.dispatcher.procedures.rules import Rules
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import After, Reply, Settlement, Step, Work
from sync.dokstamp.answer import Meaning
from sync.dokstamp.envelope import Row, record


def revoke(work: Work, *, rules: Rules) -> Generator[Step, Reply, Settlement]:
    """Settle a revocation."""
    if work.target is None:
        return done(work, after=After.UNCHANGED, reason=Reason.NEVER_MADE)
    text = rules.revocation_texts.get(str(state(work).get("reason_code")))
    if text is None:
        return held(work, Reason.UNKNOWN_REVOCATION)
    row = yield from read(work, work.target, rules=rules)
    known = _judge(without_doubt(work), row)
    if known is not None:
        return known
    return (yield from _send(without_doubt(work), work.target, text, rules))


def _judge(work: Work, row: Row | Settlement | None) -> Settlement | None:
    """Return what the certificate's state settles; None if it is issued and can be revoked."""
    if isinstance(row, Settlement):
        return row
    if row is None:
        return held(work, Reason.MISSING, after=After.MISSING)
    if row.get("status") == "revoked":
        return done(work, after=After.REVOKED)
    return None if row.get("status") == "issued" else held(work, Reason.NOT_REVOCABLE)


def _send(
    work: Work, target: TargetId, text: str, rules: Rules
) -> Generator[Step, Reply, Settlement]:
    path = f"{address(work, target)}/revoke"
    answer = yield from ask(put(path, {"revocation_reason": text}), (work.operation,))
    if answer.meaning not in {Meaning.DONE, Meaning.INVALID, Meaning.MISSING}:
        return put_off(work, answer)
    shown = record(answer)
    if shown is not None and shown.get("status") == "revoked":
        return done(work, after=After.REVOKED)
    # Refused or not shown: what the certificate says now is what counts.
    seen = yield from read(in_doubt(work), target, rules=rules)
    return _judge(work, seen) or held(work, Reason.REVOKE_REFUSED)
