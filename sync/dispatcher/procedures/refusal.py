"""What a refused write is about: a reference, a natural key, or plain content (API 6.3).

The status and a fresh read decide; texts never do.
"""

from collections.abc import Generator
from dataclasses import replace

from ledger.reference import SourceRef
from sync.dispatcher.decide import held
from sync.dispatcher.procedures.read import read
from sync.dispatcher.procedures.requests import entity, state
from sync.dispatcher.procedures.rules import Rules
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import Reply, Settlement, Step, Work
from sync.resources.definition import Reference


def missing_reference(
    work: Work, fields: tuple[str, ...], *, rules: Rules
) -> Generator[Step, Reply, Settlement | None]:
    """Return a settlement if a record that these refused fields name is gone."""
    for name, reference in _references(work, fields):
        seen = yield from _read_reference(work, reference, rules)
        if isinstance(seen, Settlement):
            return seen
        if seen is None:
            return held(work, Reason.REFERENCE_MISSING, fields=(name,))
    return None


def refused_references(work: Work, fields: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of the refused fields that name other records."""
    return tuple(name for name, _ in _references(work, fields))


def _references(work: Work, fields: tuple[str, ...]) -> list[tuple[str, SourceRef]]:
    named = ((_remote(work, found), found.ref) for found in entity(work).references(state(work)))
    return [(name, ref) for name, ref in named if name in fields and ref in work.targets]


def _remote(work: Work, reference: Reference) -> str:
    return next(f.remote for f in entity(work).fields if f.name == reference.field)


def _read_reference(
    work: Work, reference: SourceRef, rules: Rules
) -> Generator[Step, Reply, object]:
    # Groups lie under their course, which this record names too.
    beside = replace(work, reference=reference, wanted=state(work), sent=None)
    return (yield from read(beside, work.targets[reference], rules=rules))
