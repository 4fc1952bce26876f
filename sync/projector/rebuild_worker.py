"""Folds the whole log once more beside the live tables, compares, and may put it in their place.

Nothing is planned again and nothing is sent: what was decided stands in the log. The host may go on
appending meanwhile; what it adds is folded as well before the two foldings are compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from ledger import checkpoints, folding
from ledger.audit import generation_store
from ledger.audit.generation_store import Comparison, Difference
from ledger.errors import IntegrityError, LedgerError
from ledger.ledger import Ledger
from ledger.log import store as log_store
from ledger.log.envelope import Stored, decode
from ledger.outbox import gate_store, plan_codec
from ledger.outbox.plan import Plan
from ledger.reference import Json, Position, Scope
from ledger.transaction import PROJECTOR
from sync.projector.describe import cause_of

PAGE_EVENTS_MAX: Final = 100
PAGE_GATES_MAX: Final = 500
EFFORT_MAX: Final = 100
"""Events and pages of gates in one transaction: what waits behind it waits that long."""
ROWS_DROPPED_AT_ONCE: Final = 2_000
SNAPSHOTS_MAX: Final = 20
"""How often a busy host may be a step ahead before it is made to wait for the comparison."""
_BESIDE_THE_PLAN: Final = "operations.planned"
_NEEDS_OPEN_GATES: Final = "operations.claimed"
_NAMES_A_DOCUMENT: Final = "certificate.requested"


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """What a rebuild looked at, and the first thing that was not as the log says."""

    size: int
    compared: int
    first_difference: Difference | None

    def to_json(self) -> dict[str, Json]:
        """Return the report as `rebuild --json` prints it."""
        difference = self.first_difference
        return {
            "size": self.size,
            "compared": self.compared,
            "first_difference": None if difference is None else difference.to_json(),
        }


async def rebuild(ledger: Ledger, *, check: bool) -> RebuildReport:
    """Fold the log again and compare it with the live tables; unless `check`, put it in place.

    Raises `IntegrityError` where the log cannot be folded, `LedgerBusyError` while another process
    does the same.
    """
    # Two rebuilds would fold into the same rows, and each would put away what the other made.
    async with ledger.database.alone("rebuild"):
        await ledger.require_version()
        return await _rebuild(ledger, is_check=check)


async def _rebuild(ledger: Ledger, *, is_check: bool) -> RebuildReport:
    number = ledger.scope.ledger
    live = await ledger.read(lambda connection: generation_store.read_live(connection, number))
    for stray in await ledger.read(lambda c: generation_store.strays(c, number)):
        await _drop(ledger, stray)
    shadow = Scope(number, live + 1)
    doomed = shadow.generation
    try:
        refolding = _Refolding(ledger, Scope(number, live), shadow)
        comparison = await _compare(ledger, refolding)
        if not is_check:
            refolding.has_come_to(await ledger.database.run(refolding.take_over))
            ledger.scope = shadow
            # Whoever still reads the old rows does so in a snapshot from before.
            doomed = live
    finally:
        await _drop(ledger, doomed)
    return RebuildReport(refolding.size, comparison.rows, comparison.first_difference)


async def _compare(ledger: Ledger, refolding: "_Refolding") -> Comparison:
    for _ in range(SNAPSHOTS_MAX):
        while await refolding.advance():
            pass
        while await ledger.database.run(refolding.open_live):
            pass
        comparison = await ledger.read(refolding.compare_if_level)
        if comparison is not None:
            return comparison
    folded, compared = await ledger.database.run(refolding.compare_at_once)
    refolding.has_come_to(folded)
    return compared


async def _drop(ledger: Ledger, generation: int) -> None:
    def page(connection: Connection) -> bool:
        return generation_store.drop_page(
            connection, ledger.scope.ledger, generation=generation, limit=ROWS_DROPPED_AT_ONCE
        )

    while await ledger.database.run(page):
        pass


def _open(connection: Connection, scope: Scope) -> bool:
    return gate_store.open_page(connection, scope, limit=PAGE_GATES_MAX)


class _Refolding:
    """A second folding of a log, and how far it has come."""

    def __init__(self, ledger: Ledger, live: Scope, scope: Scope) -> None:
        self._ledger = ledger
        self._scope = scope
        self._live = live
        self._folded: Position = checkpoints.BEFORE_ALL
        self._is_live_broken = False

    @property
    def size(self) -> int:
        """How many events are folded."""
        return self._folded + 1

    async def advance(self) -> bool:
        """Fold another stretch in one transaction; returns whether there may be more."""
        folded, is_more = await self._ledger.database.run(
            lambda connection: self._stretch(connection, self._folded)
        )
        # Only what was committed counts.
        self._folded = folded
        return is_more

    def has_come_to(self, folded: Position) -> None:
        """Count from a position on; call it once what was folded up to there is committed."""
        self._folded = folded

    def open_live(self, connection: Connection) -> bool:
        """Open a page of the live gates; returns whether there may be more."""
        log_store.lock_head(connection, self._scope.ledger)
        try:
            with connection.begin_nested():
                return _open(connection, self._live)
        except (LedgerError, LookupError):
            # Tables so wrong that they cannot be worked on are what a rebuild is for.
            self._is_live_broken = True
            return False

    def compare_if_level(self, connection: Connection) -> Comparison | None:
        """Return the comparison if, in this snapshot, both foldings have come equally far."""
        head = log_store.read_head(connection, self._scope.ledger)
        waits = gate_store.has_wakes(connection, self._scope) or (
            gate_store.has_wakes(connection, self._live) and not self._is_live_broken
        )
        if head.size != self.size or waits:
            return None
        return self._compare(connection)

    def compare_at_once(self, connection: Connection) -> tuple[Position, Comparison]:
        """Return the comparison from within a write transaction, in which nobody is ahead."""
        log_store.lock_head(connection, self._scope.ledger)
        folded = self._finish(connection)
        while self.open_live(connection):
            pass
        return folded, self._compare(connection)

    def take_over(self, connection: Connection) -> Position:
        """Fold what is left and make this folding the live one; returns how far it has come."""
        log_store.lock_head(connection, self._scope.ledger)
        folded = self._finish(connection)
        generation_store.make_live(
            connection, self._scope.ledger, generation=self._scope.generation
        )
        return folded

    def _compare(self, connection: Connection) -> Comparison:
        return generation_store.compare(
            connection,
            self._scope.ledger,
            live=self._live.generation,
            rebuilt=self._scope.generation,
        )

    def _finish(self, connection: Connection) -> Position:
        # Nothing is kept in mind that a rollback would not undo.
        folded, is_more = self._folded, True
        while is_more:
            folded, is_more = self._stretch(connection, folded)
        return folded

    def _stretch(self, connection: Connection, folded: Position) -> tuple[Position, bool]:
        page = log_store.read_page(
            connection, self._scope.ledger, after=folded, limit=PAGE_EVENTS_MAX
        )
        effort = EFFORT_MAX
        for event in page:
            if event.type == _NEEDS_OPEN_GATES:
                # What was claimed was ready, so every gate that can open has to be open by now.
                effort = self._open_gates(connection, effort)
            if effort <= 0:
                return folded, True
            effort -= self._fold(connection, event)
            folded = event.position
        if page:
            return folded, True
        return folded, self._open_gates(connection, effort) <= 0

    def _open_gates(self, connection: Connection, effort: int) -> int:
        while effort > 0 and _open(connection, self._scope):
            effort -= 1
        return effort

    def _fold(self, connection: Connection, event: Stored) -> int:
        try:
            if not event.is_outcome:
                return self._fold_source(connection, event)
            if event.type == _BESIDE_THE_PLAN:
                return self._fold_plan(connection, event)
            public = decode(event).get("public", {})
            outcome = folding.Outcome(event.position, event.type, event.subject, public)
            folding.fold_outcome(connection, self._scope, outcome=outcome)
        except (LedgerError, LookupError, TypeError, ValueError) as error:
            message = (
                f"event {event.position} ({event.type}) does not follow from those before it: "
                "run `audit verify`, restore a backup if it finds damage"
            )
            raise IntegrityError(message, position=event.position) from error
        return 1

    def _fold_source(self, connection: Connection, event: Stored) -> int:
        assert event.subject is not None, "source events have a subject"
        folding.fold_taken(
            connection,
            self._scope,
            reference=event.subject,
            owner=event.source,
            position=event.position,
            document=self._document_of(event),
        )
        return 1

    def _document_of(self, event: Stored) -> bytes | None:
        if event.type != _NAMES_A_DOCUMENT:
            return None
        return self._ledger.sealer.document_of(self._ledger.sealer.open_now([event])[0])

    def _fold_plan(self, connection: Connection, event: Stored) -> int:
        public = decode(event)["public"]
        steps = {plan.through: plan for plan in map(plan_codec.decode, public["steps"])}
        after = checkpoints.read(connection, self._scope, name=PROJECTOR)
        effort = 1
        while sources := self._sources(connection, after, public["through"]):
            for source in self._ledger.sealer.open_now(sources):
                plan = steps.get(source.position, Plan(through=source.position))
                digest = self._ledger.vault.lookup_digest
                folding.fold_plan(
                    connection,
                    self._scope,
                    cause=cause_of(source, plan, digest=digest),
                    plan=plan,
                    position=event.position,
                )
            after = sources[-1].position
            effort += len(sources)
        checkpoints.write(connection, self._scope, name=PROJECTOR, position=public["through"])
        return effort

    def _sources(
        self, connection: Connection, after: Position, through: Position
    ) -> Sequence[Stored]:
        return log_store.read_page(
            connection,
            self._scope.ledger,
            after=after,
            through=through,
            limit=PAGE_EVENTS_MAX,
            is_outcome=False,
        )
