"""The door to the procedures: which conversation carries out which operations."""

from collections.abc import Callable, Generator
from typing import Final, Protocol

from sync.dispatcher.decide import held
from sync.dispatcher.procedures.attach import attach
from sync.dispatcher.procedures.create import create
from sync.dispatcher.procedures.detach import detach
from sync.dispatcher.procedures.find import candidates
from sync.dispatcher.procedures.issue import issue
from sync.dispatcher.procedures.recheck import recheck
from sync.dispatcher.procedures.requests import collection, entity, state
from sync.dispatcher.procedures.retire import retire
from sync.dispatcher.procedures.revoke import revoke
from sync.dispatcher.procedures.rules import Rules
from sync.dispatcher.procedures.update import update
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import (
    Conversation,
    Outcome,
    Progress,
    Reply,
    Settlement,
    Step,
    Work,
)
from sync.dokstamp.listing import Complete
from sync.resources.definition import Kind, Reference

Together = Callable[..., Conversation]


class Procedure(Protocol):
    """The conversation about one record."""

    def __call__(self, work: Work, *, rules: Rules) -> Generator[Step, Reply, Settlement]:
        """Settle one operation."""


def upsert(work: Work, *, rules: Rules) -> Generator[Step, Reply, Settlement]:
    """Settle an operation that makes or changes a record: a bound one is never searched for."""
    if work.target is not None:
        return (yield from update(work, rules=rules))
    return (yield from create(work, rules=rules))


PROCEDURES: Final[dict[Kind, Procedure]] = {
    Kind.UPSERT: upsert,
    Kind.RETIRE: retire,
    Kind.ISSUE: issue,
    Kind.REVOKE: revoke,
    Kind.RECHECK: recheck,
}

TOGETHER: Final[dict[tuple[str, Kind], Together]] = {
    ("course_module", Kind.UPSERT): attach,
    ("course_module", Kind.RETIRE): detach,
}
"""What is carried out in one call for several records."""


def converse(works: tuple[Work, ...], *, rules: Rules) -> Conversation:
    """Carry out operations of one lane, entity and kind; settle each of them."""
    if not works:
        return ()
    kinds = {(work.reference.entity, work.kind) for work in works}
    if len(kinds) > 1:
        message = "one conversation is about one entity and kind; claim the others apart"
        raise ValueError(message)
    adrift = tuple(each for each in map(_adrift, works) if each is not None)
    settled = {each.operation for each in adrift}
    works = tuple(work for work in works if work.operation not in settled)
    if not works:
        return adrift
    together = TOGETHER.get(kinds.pop()) or _one_after_another
    return adrift + (yield from together(works, rules=rules))


def _adrift(work: Work) -> Settlement | None:
    """Return a settlement if a record that must be named has gone since the operation was freed."""
    gone = [each.field for each in entity(work).references(state(work)) if _is_gone(work, each)]
    return held(work, Reason.REFERENCE_MISSING, fields=tuple(gone)) if gone else None


def _is_gone(work: Work, reference: Reference) -> bool:
    if reference.ref in work.targets:
        return False
    # What is removed names nothing, and only what was made has an address.
    is_address = work.target is not None and reference.field in entity(work).path_fields
    match work.kind:
        case Kind.UPSERT:
            return True
        case Kind.ISSUE:
            # One that was asked for is only looked at.
            return work.target is None
        case Kind.RETIRE:
            return is_address
        case Kind.REVOKE | Kind.RECHECK:
            return False


def _one_after_another(works: tuple[Work, ...], *, rules: Rules) -> Conversation:
    listing = yield from _shared_search(works, rules)
    settled: list[Settlement] = []
    for work in works:
        if settled and _stops_others(settled[-1]):
            settled.append(_after_others(work))
            continue
        if listing is not None and work.target is None:
            last = yield from create(work, rules=rules, listing=listing)
        else:
            last = yield from PROCEDURES[work.kind](work, rules=rules)
        if work is not works[-1] and last.target not in {None, work.target}:
            # More calls follow, and a crash in them must not lose this uuid.
            yield Progress(work.operation, bind=last.target)
        settled.append(last)
    return tuple(settled)


def _shared_search(
    works: tuple[Work, ...], rules: Rules
) -> Generator[Step, Reply, Complete | None]:
    """Return one list that serves the searches of all, where it needs no filter."""
    new = tuple(work for work in works if work.kind is Kind.UPSERT and work.target is None)
    is_one_list = len({collection(work) for work in new}) == 1
    if len(new) < 2 or not is_one_list or entity(new[0]).filters(state(new[0]), new[0].targets):
        return None
    listing = yield from candidates(new, rules=rules)
    return listing if isinstance(listing, Complete) else None


def _stops_others(settlement: Settlement) -> bool:
    """Tell whether DokStamp is in no state to be asked about the next record."""
    return settlement.outcome in {Outcome.RETRY, Outcome.UNCERTAIN} and settlement.reason in {
        Reason.THROTTLED,
        Reason.UNAVAILABLE,
        Reason.UNAUTHORISED,
        Reason.UNCERTAIN,
    }


def _after_others(work: Work) -> Settlement:
    outcome = Outcome.UNCERTAIN if work.possibly_sent else Outcome.RETRY
    return Settlement(work.operation, outcome, Reason.AFTER_OTHERS, counts_as_failure=False)
