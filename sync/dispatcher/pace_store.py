"""The book in which the hosts of a tenant share out its rate, kept in their database."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeVar

import orjson
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError as RowExistsError

from ledger.errors import LedgerBusyError
from ledger.ledger import Ledger
from ledger.outbox import pace_store
from ledger.outbox.pace_store import HostRow, PaceRow
from ledger.reference import Json, Scope
from sync.dispatcher import outage as outages
from sync.dispatcher import shares
from sync.dispatcher.circuit import State
from sync.dispatcher.outage import Outage
from sync.dispatcher.shares import Grant, Report, Tenant

T = TypeVar("T")
REMEMBERED_SECONDS: Final = 3600.0
"""How long a host is remembered that was not seen again."""
WANTED_MAX: Final = 1e12


@dataclass(frozen=True, slots=True)
class HostStand:
    """How one host sees the service, as it last said."""

    host: str
    seen_seconds_ago: float
    circuit: str
    outage: dict[str, Json] | None

    def to_json(self) -> dict[str, Json]:
        """Return it as `status --json` shows it."""
        return {
            "host": self.host,
            "seen_seconds_ago": round(self.seen_seconds_ago),
            "circuit": self.circuit,
            "outage": self.outage,
        }


class LedgerBook:
    """Shares out the rate by the database's clock, in one small transaction each time."""

    def __init__(self, ledger: Ledger, *, host: str) -> None:
        self._ledger = ledger
        self._host = host
        self._has_stopped = False

    async def exchange(self, report: Report, outage: Outage | None) -> Grant:
        """Hand in what this host wants and learnt, and return what it may do."""
        number = self._ledger.scope.ledger

        def share_out(connection: Connection) -> Grant:
            row = pace_store.lock(connection, number, first=_as_row(Tenant()))
            # Read once the row is ours: a second is shared out in the order of the locks.
            now = self._ledger.lease_now(connection)
            others = [
                each.wanted
                for each in pace_store.hosts(connection, number)
                if each.host != self._host and abs(now - each.seen_seconds) < shares.HOST_SECONDS
            ]
            tenant, grant = shares.deal(_as_tenant(row), report, now=now, others=others)
            # What was under way when this host stopped says nothing against its stop.
            is_over = report.has_succeeded and not self._has_stopped
            stopped = None if is_over else row.stopped
            pace_store.write(connection, number, row=_as_row(tenant, stopped=stopped))
            pace_store.write_host(connection, number, row=self._stand(report, outage, now))
            before = now - REMEMBERED_SECONDS
            pace_store.forget(connection, number, but=self._host, before=before)
            return grant

        return await self._run(share_out)

    async def stop(self, why: str) -> None:
        """Put on record that this host sends nothing more, since the first that stopped so."""
        self._has_stopped = True
        number, now = self._ledger.scope.ledger, self._ledger.clock.now()

        def stop(connection: Connection) -> None:
            row = pace_store.lock(connection, number, first=_as_row(Tenant()))
            before = {} if row.stopped is None else orjson.loads(row.stopped)
            since = before.get("since", now.isoformat())
            told = {"since": since, "why": why, "host": self._host}
            stopped = orjson.dumps(told).decode()
            pace_store.write(connection, number, row=replace(row, stopped=stopped))

        await self._run(stop)

    async def _run(self, change: Callable[[Connection], T]) -> T:
        try:
            # Without the head row: whoever calls queues behind no append.
            return await self._ledger.database.run(change)
        except RowExistsError as error:
            message = "another host shares out the rate for the first time: ask again"
            raise LedgerBusyError(message) from error

    def _stand(self, report: Report, outage: Outage | None, now: float) -> HostRow:
        state = State.CLOSED if outage is None else outage.state
        told = None if outage is None else orjson.dumps(outages.to_json(outage)).decode()
        return HostRow(
            self._host,
            seen_seconds=now,
            # Not every database keeps what has no end.
            wanted=min(report.wanted, WANTED_MAX),
            circuit=state.value,
            outage=told,
        )


def read_stands(connection: Connection, scope: Scope, *, now: float) -> list[HostStand]:
    """Return how every host sees the service, the one seen last first."""
    return [
        HostStand(
            row.host,
            max(0.0, now - row.seen_seconds),
            row.circuit,
            None if row.outage is None else orjson.loads(row.outage),
        )
        for row in pace_store.hosts(connection, scope.ledger)
    ]


def read_stop(connection: Connection, scope: Scope) -> dict[str, Json] | None:
    """Return since when and why a host sends nothing more, unless a call succeeded since."""
    told = pace_store.stopped(connection, scope.ledger)
    found: dict[str, Json] | None = None if told is None else orjson.loads(told)
    return found


def _as_tenant(row: PaceRow) -> Tenant:
    return Tenant(
        slot=row.slot,
        given=row.given,
        given_next=row.given_next,
        share=row.share,
        told_per_second=row.told_per_second,
        told_at=row.told_at_seconds,
        paused_until=row.paused_until_seconds,
        probe_after=row.probe_after_seconds,
    )


def _as_row(tenant: Tenant, *, stopped: str | None = None) -> PaceRow:
    return PaceRow(
        slot=tenant.slot,
        given=tenant.given,
        given_next=tenant.given_next,
        share=tenant.share,
        told_per_second=tenant.told_per_second,
        told_at_seconds=tenant.told_at,
        paused_until_seconds=tenant.paused_until,
        probe_after_seconds=tenant.probe_after,
        stopped=stopped,
    )
