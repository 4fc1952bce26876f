"""What happens in DokStamp when a record is removed at the source (API 9.4, 12; design 6).

`WAYS` answers it for every entity. Nothing is deleted unless the delete policy says so and nothing
depends on the record (`delete.py`).
"""

from collections.abc import Generator, Mapping
from typing import Final, Protocol

from sync.dispatcher.decide import done, without_doubt
from sync.dispatcher.procedures.certificates import name_enrollment
from sync.dispatcher.procedures.delete import DEPENDANTS, delete
from sync.dispatcher.procedures.read import read
from sync.dispatcher.procedures.requests import entity
from sync.dispatcher.procedures.rules import DeletePolicy, Rules
from sync.dispatcher.procedures.update import bring
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import After, Reply, Settlement, Step, Work
from sync.dokstamp.envelope import Row


class Way(Protocol):
    """One way to retire a bound record."""

    def __call__(
        self, work: Work, *, rules: Rules, reason: str = ""
    ) -> Generator[Step, Reply, Settlement]:
        """Settle a removal; `reason` tells why it was not deleted instead."""


def mark(work: Work, *, rules: Rules, reason: str = "") -> Generator[Step, Reply, Settlement]:
    """Settle a removal by the field that retires the record."""
    body = dict(entity(work).retired_body() or {})
    if _is_so(work):
        return done(work, after=After.RETIRED, reason=reason or Reason.ALREADY_SO)
    if work.possibly_sent and work.target is not None:
        row = yield from read(work, work.target, rules=rules)
        if isinstance(row, Settlement):
            return row
        if row is None:
            return done(work, after=After.MISSING, reason=Reason.ALREADY_GONE)
        if _differing(work, row, body) == ():
            return done(work, after=After.RETIRED, reason=reason)
    settled = yield from bring(
        without_doubt(work),
        body,
        rules=rules,
        differing=lambda row: tuple(name for name in _differing(work, row, body) if name in row),
        after=After.RETIRED,
        reason=reason,
    )
    if settled.after is After.MISSING:
        return done(work, after=After.MISSING, reason=Reason.ALREADY_GONE)
    return settled


def drop(work: Work, *, rules: Rules, reason: str = "") -> Generator[Step, Reply, Settlement]:
    """Settle the removal of an enrollment, which stays as it is once a certificate names it."""
    if work.target is not None and not _is_so(work):
        named = yield from name_enrollment(work, work.target, rules=rules)
        if named is not None:
            return named
    return (yield from mark(work, rules=rules, reason=reason))


def record_only(
    work: Work, *, rules: Rules, reason: str = ""
) -> Generator[Step, Reply, Settlement]:
    """Settle the removal of what DokStamp keeps as history, without a call."""
    del rules
    yield from ()
    return done(work, after=After.RETIRED, reason=reason or Reason.RECORDED_ONLY)


WAYS: Final[Mapping[str, Way]] = {
    "institution": mark,  # status `inactive`
    "course": mark,  # status `archived`; attachments, groups and cohorts stay
    "module": mark,  # `is_active` false; its detaches are operations of their own
    "module_group": mark,  # `is_active` false
    "enrollment": drop,  # completion status `dropped`, unless a certificate names it
    "organization": record_only,
    "cohort": record_only,
    "student": record_only,
    # An attachment is detached, together with others of its course: `detach.py`.
    # A certificate is revoked, which is an event of its own: `revoke.py`.
}


def retire(work: Work, *, rules: Rules) -> Generator[Step, Reply, Settlement]:
    """Settle the removal of a record."""
    name = work.reference.entity
    if work.target is None:
        return done(work, after=After.UNCHANGED, reason=Reason.NEVER_MADE)
    if rules.delete_policy is DeletePolicy.CHECKED_DELETE and name in DEPENDANTS:
        return (yield from delete(work, rules=rules, instead=WAYS[name]))
    return (yield from WAYS[name](work, rules=rules))


def _is_so(work: Work) -> bool:
    """Tell whether DokStamp was left retired, so that nothing is to be called."""
    body = entity(work).retired_body() or {}
    was_sent = work.sent is not None and _differing(work, work.sent, body) == ()
    return not work.possibly_sent and (work.is_retired or was_sent)


def _differing(work: Work, row: Row, body: Mapping[str, object]) -> tuple[str, ...]:
    # Read by its form, since a flag may be shown as a number or as text (API 5.3).
    shown = {field.remote: field.shown(row) for field in entity(work).fields}
    return tuple(name for name, value in body.items() if shown[name] != value)
