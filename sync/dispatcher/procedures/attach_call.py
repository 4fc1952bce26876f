"""The attach call itself: one for all, then one each after a refusal; the list is the judge."""

from collections.abc import Generator
from dataclasses import replace

from ledger.reference import OperationKey, TargetId
from sync.dispatcher.asking import ask
from sync.dispatcher.decide import dead, done, held, in_doubt, look_later, put_off
from sync.dispatcher.procedures.attachable import (
    ATTACHING,
    DETACHED,
    REATTACH_FACT,
    REFUSED_FACT,
    UNSEEN_FACT,
    attach_path,
    free_modules,
    is_coming_back,
    not_seen,
    settle_unknown,
    wanted_pair,
)
from sync.dispatcher.procedures.refusal import missing_reference
from sync.dispatcher.procedures.requests import entity, post, state
from sync.dispatcher.procedures.rules import Rules
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import After, Outcome, Progress, Reply, Settlement, Step, Work
from sync.dokstamp.answer import Answer, Meaning
from sync.dokstamp.envelope import refused_fields
from sync.dokstamp.listing import Unknown
from sync.dokstamp.request import Request

_JUDGED_BY_LIST = frozenset({Meaning.DONE, Meaning.INVALID, Meaning.MISSING})


def attach_now(
    course: TargetId, works: list[Work], *, rules: Rules
) -> Generator[Step, Reply, list[Settlement]]:
    """Settle attachments whose modules are free by attaching them."""
    answer = yield from _ask_to_attach(course, works)
    if answer.meaning not in _JUDGED_BY_LIST:
        return [put_off(work, answer) for work in works]
    free = yield from _free_after(course, works, rules)
    if isinstance(free, Unknown):
        return (yield from _unknown(course, works, free, rules))
    if answer.meaning is Meaning.INVALID and len(works) > 1:
        return (yield from _one_by_one(course, works, free, rules))
    return (yield from _judge_all(works, dict.fromkeys(_operations(works), answer), free, rules))


def _ask_to_attach(course: TargetId, works: list[Work]) -> Generator[Step, Reply, Answer]:
    """Return the answer; of what was detached it is on record whether it may be attached again."""
    yield from _note(works, ATTACHING)
    answer = yield from ask(request_attach(course, works), _operations(works))
    # A refused batch may be written in part (API 14, trap 12); nothing else that has a word is.
    is_batch = answer.meaning is Meaning.INVALID and len(works) > 1
    if answer.meaning not in {Meaning.DONE, Meaning.UNCERTAIN} and not is_batch:
        yield from _note(works, DETACHED)
    return answer


def _note(works: list[Work], stage: str) -> Generator[Step, Reply, None]:
    for work in works:
        if is_coming_back(work):
            yield Progress(work.operation, facts={REATTACH_FACT: stage})


def request_attach(course: TargetId, works: list[Work]) -> Request:
    """Return the request that attaches: objects, where detaching takes plain uuids (trap 13)."""
    modules = [entity(work).body(state(work), work.targets) for work in works]
    return post(attach_path(course), {"modules": modules})


def _one_by_one(
    course: TargetId, works: list[Work], free: frozenset[str], rules: Rules
) -> Generator[Step, Reply, list[Settlement]]:
    """Settle what a refused batch left: one spoils it for all (API 14, trap 12)."""
    left = [work for work in works if _is_in(free, work) or is_coming_back(work)]
    settled = [done(work, wanted_pair(work).target) for work in works if work not in left]
    answers: dict[OperationKey, Answer] = {}
    while left:
        work = left.pop(0)
        answer = yield from ask(request_attach(course, [work]), (work.operation,))
        answers[work.operation] = answer
        if answer.meaning not in _JUDGED_BY_LIST:
            settled.append(put_off(work, answer))
            settled.extend(_after_others(other) for other in left)
            break
    tried = [work for work in works if _has_word(answers.get(work.operation))]
    if not tried:
        return settled
    free_now = yield from _free_after(course, tried, rules)
    if isinstance(free_now, Unknown):
        return settled + (yield from _unknown(course, tried, free_now, rules))
    return settled + (yield from _judge_all(tried, answers, free_now, rules))


def _judge_all(
    works: list[Work], answers: dict[OperationKey, Answer], free: frozenset[str], rules: Rules
) -> Generator[Step, Reply, list[Settlement]]:
    settled: list[Settlement] = []
    for work in works:
        is_free = _is_in(free, work)
        settled.append(
            (yield from _judge(work, answers[work.operation], is_free=is_free, rules=rules))
        )
    return settled


def _judge(
    work: Work, answer: Answer, *, is_free: bool, rules: Rules
) -> Generator[Step, Reply, Settlement]:
    """Return the settlement of one attachment by its answer and by what the list says."""
    if not is_free and answer.meaning is Meaning.DONE:
        return done(work, wanted_pair(work).target)
    fields = tuple(name.rpartition(".")[2] for name in refused_fields(answer))
    if not is_free and is_coming_back(work):
        yield Progress(work.operation, facts={REFUSED_FACT: [*fields]})
        return look_later(in_doubt(work), rules.settle_seconds)
    if not is_free:
        return done(work, wanted_pair(work).target, reason=Reason.UNVERIFIED)
    if answer.meaning is not Meaning.INVALID or work.progress.get(UNSEEN_FACT):
        after = _after(work)
        return (yield from not_seen(work, Reason.ATTACH_NOT_SEEN, rules=rules, after=after))
    return (yield from refused(work, fields, rules=rules))


def refused(
    work: Work, fields: tuple[str, ...], *, rules: Rules
) -> Generator[Step, Reply, Settlement]:
    """Return what it means that a module was refused which the list shows as not attached."""
    verdict = yield from missing_reference(work, fields, rules=rules)
    if verdict is None and not work.possibly_sent:
        return dead(work, Reason.REFUSED, fields=fields)
    verdict = verdict or held(work, Reason.REFUSED, fields=fields)
    if verdict.outcome is not Outcome.HELD:
        return verdict
    # It is known to be detached, and nothing else is: a corrected event may take its place.
    return replace(verdict, after=_after(work), in_doubt=False)


def _after(work: Work) -> After:
    # What was detached to be changed is detached now: a record that comes back is attached again.
    return After.RETIRED if work.possibly_sent else After.UNCHANGED


def _unknown(
    course: TargetId, works: list[Work], unknown: Unknown, rules: Rules
) -> Generator[Step, Reply, list[Settlement]]:
    doubted = [in_doubt(work) for work in works]
    settled = yield from settle_unknown(doubted, course, unknown, rules=rules)
    gone = [held(work, Reason.REFERENCE_MISSING, fields=("course_uuid",)) for work in works]
    return [known or otherwise for known, otherwise in zip(settled, gone, strict=True)]


def _free_after(
    course: TargetId, works: list[Work], rules: Rules
) -> Generator[Step, Reply, frozenset[str] | Unknown]:
    modules = [wanted_pair(work).module for work in works]
    return (yield from free_modules(course, modules, rules=rules))


def _after_others(work: Work) -> Settlement:
    """Return the settlement of what was not sent because an earlier one got no answer."""
    outcome = Outcome.UNCERTAIN if work.possibly_sent else Outcome.RETRY
    return Settlement(work.operation, outcome, Reason.AFTER_OTHERS, counts_as_failure=False)


def _has_word(answer: Answer | None) -> bool:
    return answer is not None and answer.meaning in _JUDGED_BY_LIST


def _is_in(free: frozenset[str], work: Work) -> bool:
    return wanted_pair(work).module.casefold() in free


def _operations(works: list[Work]) -> tuple[OperationKey, ...]:
    return tuple(work.operation for work in works)
