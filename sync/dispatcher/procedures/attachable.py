"""The one witness of attachments: the list of modules that a course does not have (API 11.4).

There is no list of attached modules. Whether the list of the others shows inactive modules is
unknown, so for an inactive module it proves nothing.
"""

from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace
from typing import Final

from ledger.reference import TargetId
from sync.dispatcher.asking import walk
from sync.dispatcher.decide import held, in_doubt, look_later, put_off_unknown
from sync.dispatcher.procedures.read import read_other
from sync.dispatcher.procedures.requests import named_by, target_of
from sync.dispatcher.procedures.rules import Rules
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import After, Outcome, Progress, Reply, Settlement, Step, Work
from sync.dokstamp.answer import Meaning
from sync.dokstamp.envelope import Row, uuid_of
from sync.dokstamp.listing import Unknown
from sync.dokstamp.request import path_of
from sync.resources.values import Flag

UNSEEN_FACT: Final = "unseen"
REATTACH_FACT: Final = "reattach"
INTENDED: Final = "intended"
DETACHED: Final = "detached"
ATTACHING: Final = "attaching"
"""How far a change of an attachment is, which is to detach and attach it again."""
REFUSED_FACT: Final = "refused"
"""The fields refused as a module was attached again that the list did not show as detached yet."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A course and a module: what an attachment's target stands for."""

    course: TargetId
    module: TargetId

    @property
    def target(self) -> TargetId:
        """The pair as one name."""
        return TargetId(f"{self.course}/{self.module}")


def pair_of(target: TargetId) -> Pair:
    """Return the course and the module that an attachment's target names."""
    course, _, module = target.partition("/")
    return Pair(TargetId(course), TargetId(module))


def wanted_pair(work: Work) -> Pair:
    """Return the course and the module that shall be attached."""
    course, module = target_of(work, "course_id"), target_of(work, "module_id")
    if course is None or module is None:
        message = "an attachment needs its course and its module bound; correct its gates"
        raise ValueError(message)
    return Pair(course, module)


def attach_path(course: TargetId) -> str:
    """Return where modules are attached, and where those not attached are listed."""
    return path_of("courses", course, "attach", "modules")


def detach_path(course: TargetId) -> str:
    """Return where modules are detached."""
    return path_of("courses", course, "detach", "modules")


def free_modules(
    course: TargetId, modules: Iterable[TargetId], *, rules: Rules
) -> Generator[Step, Reply, frozenset[str] | Unknown]:
    """Return which of these modules, in lower case, the course does not have."""
    asked = {module.casefold() for module in modules}
    path = attach_path(course)
    listing = yield from walk(
        path,
        route=path,
        page_size=rules.page_size,
        keep=lambda row: uuid_of(row).casefold() in asked,
    )
    if isinstance(listing, Unknown):
        return listing
    return frozenset(uuid_of(row).casefold() for row in listing.rows)


def settle_unknown(
    works: Iterable[Work], course: TargetId, unknown: Unknown, *, rules: Rules
) -> Generator[Step, Reply, tuple[Settlement | None, ...]]:
    """Return why the list is not known, for each; None for each when the course is gone."""
    works = tuple(works)
    if unknown.answer.meaning is Meaning.MISSING and works:
        seen = yield from read_other(works[0], "course", course, rules=rules)
        if seen is None:
            return tuple(None for _ in works)
        if isinstance(seen, Settlement):
            return tuple(_shared(work, seen) for work in works)
    return tuple(put_off_unknown(work, unknown, is_nested=True) for work in works)


def not_seen(
    work: Work, reason: Reason, *, rules: Rules, after: After = After.UNCHANGED
) -> Generator[Step, Reply, Settlement]:
    """Return what it means that the list does not show what was accepted: at first, that it lags.

    It is looked at again when the list had time to catch up; held for this reason after that.
    """
    if work.progress.get(UNSEEN_FACT):
        # Forgotten, so that a person's `outbox retry` tries it anew.
        yield Progress(work.operation, facts={UNSEEN_FACT: None})
        # It was accepted: nothing may take its place as if nothing had been sent.
        return held(in_doubt(work), reason, after=after)
    yield Progress(work.operation, facts={UNSEEN_FACT: True})
    return look_later(in_doubt(work), rules.settle_seconds)


def is_coming_back(work: Work) -> bool:
    """Tell whether the module is detached by us to be attached again, which a list may not show.

    Until the list had time to catch up, it is no witness that the module is attached. Once the
    detach is on record for good (`After.RETIRED`), the attachment is as one never made.
    """
    return REATTACH_FACT in work.progress and not work.is_retired


def _shared(work: Work, settlement: Settlement) -> Settlement:
    """Return for one attachment what was learnt of the course in the name of another."""
    in_doubt = work.possibly_sent
    outcome = settlement.outcome
    if outcome in {Outcome.RETRY, Outcome.UNCERTAIN}:
        outcome = Outcome.UNCERTAIN if in_doubt else Outcome.RETRY
    return replace(settlement, operation=work.operation, outcome=outcome, in_doubt=in_doubt)


def is_inactive(work: Work) -> bool:
    """Tell whether the module is inactive by our own doing, so that the list may hide it."""
    module = named_by(work, "module_id")
    state = work.names.get(module, {}) if module is not None else {}
    return state.get("is_active") is False


def shows_inactive(module: Row) -> bool:
    """Tell whether a module is shown as inactive, in whatever form."""
    return Flag().recall(module.get("is_active")) is False
