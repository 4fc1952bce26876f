"""Attach modules to a course, all of them in one call, after one look at what is free (API 11.4).

```
                    ┌ new, free ───────────────────────────────┐
attachable list ────┼ changed ─► intent ─► detach ─► on record ─┼─► POST all ─► list again ─► done
                    └ new, not free ─► looked at again later;    │     │ 422
                       still not: attached before, unverified    └─ one by one, never twice alone
```

An attachment cannot be changed in place. The intent and the detach are on record before the next
step, so a crash in between leaves an operation that attaches again (API 11.4, rule 2).
"""

from collections.abc import Generator
from dataclasses import replace
from typing import Final

from ledger.reference import Json, TargetId
from sync.dispatcher.asking import ask
from sync.dispatcher.decide import (
    dead,
    done,
    held,
    in_doubt,
    look_later,
    put_off,
    without_doubt,
)
from sync.dispatcher.procedures.attach_call import attach_now, refused
from sync.dispatcher.procedures.attachable import (
    ATTACHING,
    DETACHED,
    INTENDED,
    REATTACH_FACT,
    REFUSED_FACT,
    Pair,
    free_modules,
    is_coming_back,
    is_inactive,
    pair_of,
    settle_unknown,
    shows_inactive,
    wanted_pair,
)
from sync.dispatcher.procedures.detach import is_definite, once_more, request_detach
from sync.dispatcher.procedures.read import read_other
from sync.dispatcher.procedures.requests import entity, state
from sync.dispatcher.procedures.rules import Rules
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import Conversation, Progress, Reply, Settlement, Step, Work
from sync.dokstamp.answer import Answer, Meaning
from sync.dokstamp.listing import Unknown

LISTED_FACT: Final = "listed"
MISSED_FACT: Final = "missed"
LINGERS_FACT: Final = "lingers"

_REFUSALS: Final = frozenset({Meaning.REFUSED, Meaning.MISSING, Meaning.INVALID})

Sorted = tuple[list[Settlement], list[Work]]
"""What is settled already, and what goes on."""


def attach(works: tuple[Work, ...], *, rules: Rules) -> Conversation:
    """Settle the operations that make or change attachments."""
    settled = [_without_call(work, rules) for work in works]
    pending = [work for work, known in zip(works, settled, strict=True) if known is None]
    found: list[Settlement] = [known for known in settled if known is not None]
    for course in dict.fromkeys(wanted_pair(work).course for work in pending):
        of_course = [work for work in pending if wanted_pair(work).course == course]
        found.extend((yield from _attach_to(course, of_course, rules)))
    return tuple(found)


def _without_call(work: Work, rules: Rules) -> Settlement | None:
    faults = entity(work).inconsistencies(state(work), work.names)
    if faults:
        return dead(work, Reason.INCONSISTENT, fields=tuple(fault.field for fault in faults))
    if _is_new(work) or work.possibly_sent or work.progress:
        return None
    if work.sent is None:
        return done(work, reason=Reason.UNVERIFIED)
    is_moved = work.target is not None and wanted_pair(work) != _old(work)
    if not is_moved and not entity(work).changes(state(work), work.sent, work.targets):
        return done(work)
    return None if rules.reattach_on_change else held(work, Reason.REATTACH_IS_OFF)


def _is_new(work: Work) -> bool:
    return work.target is None or work.is_retired


def _attach_to(
    course: TargetId, works: list[Work], rules: Rules
) -> Generator[Step, Reply, list[Settlement]]:
    free = yield from free_modules(course, (wanted_pair(w).module for w in works), rules=rules)
    if isinstance(free, Unknown):
        return (yield from _course_unknown(course, works, free, rules))
    settled, ready = yield from _make_ready(works, free, rules)
    if ready:
        settled += yield from attach_now(course, ready, rules=rules)
    return settled


def _course_unknown(
    course: TargetId, works: list[Work], unknown: Unknown, rules: Rules
) -> Generator[Step, Reply, list[Settlement]]:
    settled = yield from settle_unknown(works, course, unknown, rules=rules)
    gone = [held(work, Reason.REFERENCE_MISSING, fields=("course_uuid",)) for work in works]
    return [known or otherwise for known, otherwise in zip(settled, gone, strict=True)]


def _make_ready(
    works: list[Work], free: frozenset[str], rules: Rules
) -> Generator[Step, Reply, Sorted]:
    """Return what the list settles, and what can be attached now, changed ones detached."""
    settled: list[Settlement] = []
    ready: list[Work] = []
    to_detach: list[Work] = []
    for work in works:
        is_free = wanted_pair(work).module.casefold() in free
        if not _is_attached(work, is_free=is_free):
            known = yield from (_refused_before if is_free else _not_free)(work, rules)
            if known is None:
                if is_free and is_inactive(work):
                    # The list does show it, so that its absence will mean something later.
                    yield Progress(work.operation, facts={LISTED_FACT: True})
                ready.append(_unfinished(work))
            else:
                settled.append(known)
        else:
            to_detach.append(work)
    detached = yield from _detach(to_detach, rules)
    return settled + detached[0], ready + detached[1]


def _is_attached(work: Work, *, is_free: bool) -> bool:
    """Tell whether the attachment with its old values still has to be taken away."""
    if _is_new(work) or work.progress.get(REATTACH_FACT) in {DETACHED, ATTACHING}:
        return False
    return not is_free or wanted_pair(work) != _old(work)


def _unfinished(work: Work) -> Work:
    """Return the work with what is known of it: only what was detached stays in doubt."""
    return in_doubt(work) if is_coming_back(work) else without_doubt(work)


def _refused_before(work: Work, rules: Rules) -> Generator[Step, Reply, Settlement | None]:
    """Return what it means that no list shows as attached what was refused; None if nothing was."""
    fields = _refused_fields(work)
    if fields is None:
        return None
    return (yield from refused(in_doubt(work), fields, rules=rules))


def _refused_fields(work: Work) -> tuple[str, ...] | None:
    fields = work.progress.get(REFUSED_FACT)
    if not isinstance(fields, list) or not is_coming_back(work):
        return None
    return tuple(map(str, fields))


def _not_free(work: Work, rules: Rules) -> Generator[Step, Reply, Settlement | None]:
    """Return what it means that a module is not free; None if the list proves nothing."""
    if is_inactive(work) and LISTED_FACT not in work.progress:
        # Nothing, but for what was refused: that is not sent again.
        return (yield from _refused_before(work, rules))
    pair = wanted_pair(work)
    if is_coming_back(work):
        return (yield from _not_free_again(work, pair, rules))
    if work.possibly_sent:
        # It was free before our own request.
        return done(work, pair.target)
    if MISSED_FACT not in work.progress:
        # A module that was just made may not be listed yet: absent once is not attached.
        yield Progress(work.operation, facts={MISSED_FACT: True})
        return look_later(work, rules.settle_seconds)
    return (yield from _attached_before(work, pair, rules))


def _not_free_again(work: Work, pair: Pair, rules: Rules) -> Generator[Step, Reply, Settlement]:
    """Return what it means that a module is not free which was detached to be attached again."""
    is_refused = _refused_fields(work) is not None
    if work.progress[REATTACH_FACT] == ATTACHING or pair != _old(work):
        # Our own request attached it, or what is moved is where it shall be.
        return done(work, pair.target, reason=Reason.UNVERIFIED if is_refused else "")
    if not is_refused and not work.progress.get(LINGERS_FACT):
        # Nothing attached it since. The list may lag behind the detach.
        yield Progress(work.operation, facts={LINGERS_FACT: True})
        return look_later(in_doubt(work), rules.settle_seconds)
    # A person's `outbox retry` detaches it once more.
    anew: dict[str, Json] = {REATTACH_FACT: INTENDED, REFUSED_FACT: None, LINGERS_FACT: None}
    yield Progress(work.operation, facts=anew)
    return held(in_doubt(work), Reason.DETACH_NOT_SEEN)


def _attached_before(
    work: Work, pair: Pair, rules: Rules
) -> Generator[Step, Reply, Settlement | None]:
    seen = yield from read_other(work, "module", pair.module, rules=rules)
    if isinstance(seen, Settlement):
        return seen
    if seen is None:
        return held(work, Reason.REFERENCE_MISSING, fields=("uuid",))
    if shows_inactive(seen):
        return None
    return done(work, pair.target, reason=Reason.UNVERIFIED)


def _detach(works: list[Work], rules: Rules) -> Generator[Step, Reply, Sorted]:
    """Detach what is to be attached anew, each step on record before the next."""
    settled: list[Settlement] = []
    ready: list[Work] = []
    for work in works:
        yield Progress(work.operation, facts={REATTACH_FACT: INTENDED})
    for course in dict.fromkeys(_old(work).course for work in works):
        of_course = [work for work in works if _old(work).course == course]
        request = request_detach(course, [_old(work).module for work in of_course])
        answer = yield from ask(request, tuple(work.operation for work in of_course))
        verdicts = yield from _judge_detach(course, of_course, answer, rules)
        for work, known in zip(of_course, verdicts, strict=True):
            if known is None:
                yield Progress(work.operation, facts={REATTACH_FACT: DETACHED})
                progress = {**work.progress, REATTACH_FACT: DETACHED}
                ready.append(in_doubt(replace(work, progress=progress)))
            else:
                settled.append(known)
    return settled, ready


def _judge_detach(
    course: TargetId, works: list[Work], answer: Answer, rules: Rules
) -> Generator[Step, Reply, list[Settlement | None]]:
    """Return why modules cannot be attached anew; None for each that is detached."""
    if answer.meaning is Meaning.DONE:
        return [None for _ in works]
    if answer.meaning not in _REFUSALS:
        return [put_off(work, answer) for work in works]
    free: frozenset[str] | Unknown = frozenset()
    if any(is_inactive(work) or wanted_pair(work) != _old(work) for work in works):
        free = yield from free_modules(course, [_old(w).module for w in works], rules=rules)
    if isinstance(free, Unknown):
        # A course that is gone has nothing attached any more.
        doubted = works if is_definite(answer) else [in_doubt(work) for work in works]
        return list((yield from settle_unknown(doubted, course, free, rules=rules)))
    verdicts: list[Settlement | None] = []
    for work in works:
        known = yield from _refused_detach(work, answer, free, rules)
        verdicts.append(known)
    return verdicts


def _refused_detach(
    work: Work, answer: Answer, free: frozenset[str], rules: Rules
) -> Generator[Step, Reply, Settlement | None]:
    if _old(work).module.casefold() in free:
        return None
    if not is_definite(answer):
        return (yield from once_more(work, rules=rules))
    # It was not attached any more: an inactive module may be hidden from the list.
    return None if is_inactive(work) else held(work, Reason.DETACH_REFUSED)


def _old(work: Work) -> Pair:
    return pair_of(TargetId(str(work.target)))
