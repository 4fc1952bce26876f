"""Folds a log again beside the live tables, all at once or as it grows, and compares."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from ledger import checkpoints, folding
from ledger.log import store as log_store
from ledger.log.envelope import Stored, decode
from ledger.outbox import gate_store, plan_codec
from ledger.outbox.fold_store import Cause
from ledger.outbox.plan import Plan
from ledger.reference import Position, Scope
from ledger.schema.tables import FOLDED
from ledger.transaction import PROJECTOR

Rows = dict[str, list[tuple[Any, ...]]]


@dataclass(frozen=True)
class Told:
    """What a real rebuild reads in the private parts of source events, as far as they open."""

    cause: Callable[[Position], Cause]
    document: Callable[[Stored], bytes | None]


@dataclass
class Refolding:
    """A second folding of a log; going on folds what was appended meanwhile."""

    connection: Connection
    scope: Scope
    told: Told
    folded: Position = field(default=-1)

    def go_on(self) -> None:
        """Fold the rest of the log, opening every gate after each event."""
        page = log_store.read_page(
            self.connection, self.scope.ledger, after=self.folded, limit=10_000
        )
        for stored in page:
            self._fold(stored)
            drain(self.connection, self.scope)
            self.folded = stored.position

    def _fold(self, stored: Stored) -> None:
        if stored.is_outcome:
            self._fold_outcome(stored)
        elif stored.subject is not None:
            folding.fold_taken(
                self.connection,
                self.scope,
                reference=stored.subject,
                owner=stored.source,
                position=stored.position,
                document=self.told.document(stored),
            )

    def _fold_outcome(self, stored: Stored) -> None:
        public: dict[str, Any] = decode(stored)["public"]
        if stored.type != "operations.planned":
            outcome = folding.Outcome(stored.position, stored.type, stored.subject, public)
            folding.fold_outcome(self.connection, self.scope, outcome=outcome)
            return
        through = public["through"]
        steps = {plan.through: plan for plan in map(plan_codec.decode, public["steps"])}
        folding.fold_plan(
            self.connection,
            self.scope,
            cause=self.told.cause(through),
            plan=steps.get(through, Plan(through)),
            position=stored.position,
        )
        checkpoints.write(self.connection, self.scope, name=PROJECTOR, position=through)


def drain(connection: Connection, scope: Scope) -> None:
    """Open every gate that can be opened."""
    while gate_store.open_page(connection, scope, limit=1000):
        pass


def difference(connection: Connection, live: Scope, again: Scope) -> Mapping[str, object]:
    """Return the tables in which two foldings differ, once every gate of both is opened.

    Nothing of that opening stays.
    """
    undone = connection.begin_nested()
    try:
        drain(connection, live)
        drain(connection, again)
        ours, theirs = rows_of(connection, live), rows_of(connection, again)
    finally:
        undone.rollback()
    return {table: (rows, theirs[table]) for table, rows in ours.items() if theirs[table] != rows}


def rows_of(connection: Connection, scope: Scope) -> Rows:
    """Return every folded row of a generation, without the generation itself."""
    found: Rows = {}
    for table in FOLDED:
        columns = [column for column in table.c if column.name != "generation"]
        statement = select(*columns).where(
            table.c.ledger == scope.ledger, table.c.generation == scope.generation
        )
        rows = connection.execute(statement.order_by(*table.primary_key.columns))
        found[table.name] = [tuple(row) for row in rows]
    return found
