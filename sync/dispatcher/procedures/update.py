"""Bring a bound record to what is wanted: only what changed, and never by making it anew."""

from collections.abc import Callable, Generator, Iterable
from dataclasses import replace
from typing import Final

from ledger.reference import TargetId
from sync.dispatcher.asking import ask
from sync.dispatcher.decide import dead, done, held, in_doubt, put_off, without_doubt
from sync.dispatcher.procedures.certificates import name_enrollment
from sync.dispatcher.procedures.read import read
from sync.dispatcher.procedures.refusal import missing_reference
from sync.dispatcher.procedures.requests import address, entity, patch, state
from sync.dispatcher.procedures.rules import Rules
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import After, Progress, Reply, Settlement, Step, Work
from sync.dokstamp.answer import Answer, Meaning
from sync.dokstamp.envelope import Row, record, refused_fields, uuid_of
from sync.dokstamp.request import Body, BodyValue

READ_BACK: Final = frozenset({"status", "code", "cohort_uuid"})
"""Fields that DokStamp may quietly not follow: an answer that hides them is read again."""

_TAKEN: Final = {"email": Reason.EMAIL_TAKEN, "code": Reason.CODE_TAKEN}
"""Keys that somebody else has. Nobody is looked up by the new one (API 14, trap 19)."""

Differing = Callable[[Row], tuple[str, ...]]


def update(work: Work, *, rules: Rules) -> Generator[Step, Reply, Settlement]:
    """Settle an operation whose record is bound."""
    row: Row | None = None
    if work.sent is None or work.possibly_sent:
        seen = yield from read(work, _target(work), rules=rules)
        if isinstance(seen, Settlement):
            return seen
        if seen is None:
            return held(without_doubt(work), Reason.MISSING, after=After.MISSING)
        row = seen
    return (yield from _send(without_doubt(work), _body(work, row), row, rules))


def adopt(work: Work, row: Row, *, rules: Rules) -> Generator[Step, Reply, Settlement]:
    """Settle an operation whose record turned out to be there already."""
    target = TargetId(uuid_of(row))
    body = entity(work).differences(state(work), row, work.targets)
    bound = replace(work, target=target)
    if any(not shows(row, name) for name in body):
        # A list may leave out what only the record itself shows.
        seen = yield from read(bound, target, rules=rules)
        if isinstance(seen, Settlement):
            return seen
        row = seen or row
        body = entity(work).differences(state(work), row, work.targets)
    if body:
        yield Progress(work.operation, bind=target)
    return (yield from _send(bound, body, row, rules))


def bring(
    work: Work,
    body: Body,
    *,
    rules: Rules,
    differing: Differing | None = None,
    after: After = After.LIVE,
    reason: str = "",
) -> Generator[Step, Reply, Settlement]:
    """Settle an operation by sending these fields and checking that they were taken."""
    answer = yield from ask(patch(address(work, _target(work)), body), (work.operation,))
    match answer.meaning:
        case Meaning.DONE:
            row = yield from _shown(work, answer, body, rules)
            if isinstance(row, Settlement):
                return row
            differing = differing or (lambda row: not_taken(work, row, names=body))
            wrong = differing(row) if row is not None else ()
            if wrong:
                return held(work, Reason.NOT_TAKEN, fields=wrong)
            return done(work, after=after, reason=reason)
        case Meaning.INVALID:
            return (yield from _refused(work, answer, rules))
        case Meaning.MISSING:
            return (yield from _missing(work, rules))
        case _:
            return put_off(work, answer)


def not_taken(work: Work, row: Row, *, names: Iterable[str]) -> tuple[str, ...]:
    """Return those of the fields that a row shows with another value than the wanted one."""
    differing = entity(work).differences(state(work), row, work.targets)
    return tuple(name for name in names if name in differing and shows(row, name))


def shows(row: Row, name: str) -> bool:
    """Tell whether a row says anything about a field, nested or not."""
    return name in row or name.removesuffix("_uuid") in row


def _body(work: Work, row: Row | None) -> dict[str, BodyValue]:
    """Return what is left to send: by what was last sent, or by what DokStamp shows."""
    resource, wanted = entity(work), state(work)
    sent = wanted if work.sent is None else work.sent
    changes = resource.changes(wanted, sent, work.targets, is_retired=work.is_retired)
    if row is None:
        return dict(changes)
    # A cleared or restored field is no difference to a state that does not mention it.
    unmentioned = {
        field.remote: changes[field.remote]
        for field in resource.fields
        if field.remote in changes
        and wanted.get(field.name) is None
        and shows(row, field.remote)
        and field.shown(row) != changes[field.remote]
    }
    return {**unmentioned, **resource.differences(wanted, row, work.targets)}


def _send(
    work: Work, body: Body, row: Row | None, rules: Rules
) -> Generator[Step, Reply, Settlement]:
    if body:
        forbidden = yield from _certified(work, body, row, rules)
        return forbidden or (yield from bring(work, body, rules=rules))
    if row is not None and row.get("status") == "suspended":
        return done(work, reason=Reason.INSTITUTION_SUSPENDED)
    return done(work)


def _certified(
    work: Work, body: Body, row: Row | None, rules: Rules
) -> Generator[Step, Reply, Settlement | None]:
    """Return a settlement if a certificate forbids to change this enrollment (API 11.9)."""
    if work.reference.entity != "enrollment":
        return None
    before = (row or work.sent or {}).get("completion_status")
    if "cohort_uuid" in body or (before == "completed" and "completion_status" in body):
        return (yield from name_enrollment(work, _target(work), rules=rules))
    return None


def _shown(
    work: Work, answer: Answer, body: Body, rules: Rules
) -> Generator[Step, Reply, Row | Settlement | None]:
    """Return the record after a change, read again only if the answer hides what matters."""
    row = record(answer)
    hidden = [name for name in READ_BACK.intersection(body) if row is None or not shows(row, name)]
    if not hidden:
        return row
    seen = yield from read(in_doubt(work), _target(work), rules=rules)
    return held(work, Reason.MISSING, after=After.MISSING) if seen is None else seen


def _refused(work: Work, answer: Answer, rules: Rules) -> Generator[Step, Reply, Settlement]:
    fields = refused_fields(answer)
    missing = yield from missing_reference(work, fields, rules=rules)
    if missing is not None:
        return missing
    for name in fields:
        if name in _TAKEN:
            return held(work, _TAKEN[name], fields=fields)
    return dead(work, Reason.REFUSED, fields=fields)


def _missing(work: Work, rules: Rules) -> Generator[Step, Reply, Settlement]:
    seen = yield from read(work, _target(work), rules=rules)
    if isinstance(seen, Settlement):
        return seen
    if seen is None:
        return held(work, Reason.MISSING, after=After.MISSING)
    return held(work, Reason.CHANGE_REFUSED)


def _target(work: Work) -> TargetId:
    if work.target is None:
        message = "an update needs a bound record; create it instead"
        raise ValueError(message)
    return work.target
