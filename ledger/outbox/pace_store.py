"""The pace of a tenant in SQL: one row that its hosts change in turn, and a row for each of them.

What the columns mean is decided where they are used; here they are read, locked and written. No
other lock is taken with them, so whoever shares out the rate waits for no append, and no append
waits for it.
"""

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, bindparam, select

from ledger.schema.tables import pace_hosts, paces

_MINE = paces.c.ledger == bindparam("in_ledger")
_LOCK = select(paces).where(_MINE).with_for_update()
_STOPPED = select(paces.c.stopped).where(_MINE)
_MAKE = paces.insert()
_WRITE = paces.update().where(_MINE)
_HOSTS_MINE = pace_hosts.c.ledger == bindparam("in_ledger")
_HOSTS = select(pace_hosts).where(_HOSTS_MINE).order_by(pace_hosts.c.seen_seconds.desc())
_FORGET = pace_hosts.delete().where(
    _HOSTS_MINE,
    pace_hosts.c.host != bindparam("but"),
    pace_hosts.c.seen_seconds < bindparam("before"),
)
_IS_HOST = (_HOSTS_MINE, pace_hosts.c.host == bindparam("of_host"))
_WRITE_HOST = pace_hosts.update().where(*_IS_HOST)
_MAKE_HOST = pace_hosts.insert()


@dataclass(frozen=True, slots=True)
class PaceRow:
    """What all hosts of a tenant know together."""

    slot: int
    given: float
    given_next: float
    share: float
    told_per_second: float | None
    told_at_seconds: float
    paused_until_seconds: float
    probe_after_seconds: float
    stopped: str | None = None
    """Why a host sends nothing more, until a call of another succeeds."""


@dataclass(frozen=True, slots=True)
class HostRow:
    """What one host wanted when it was last seen, and how it saw the service."""

    host: str
    seen_seconds: float
    wanted: float
    """Calls a second."""
    circuit: str
    outage: str | None = None


def lock(connection: Connection, ledger: int, *, first: PaceRow) -> PaceRow:
    """Return the tenant's row, locked until the transaction ends; the first to come makes it."""
    found = connection.execute(_LOCK, {"in_ledger": ledger}).mappings().first()
    if found is None:
        connection.execute(_MAKE, {"ledger": ledger, **asdict(first)})
        return first
    return PaceRow(**{name: value for name, value in found.items() if name != "ledger"})


def write(connection: Connection, ledger: int, *, row: PaceRow) -> None:
    """Keep what all hosts know together."""
    connection.execute(_WRITE, {"in_ledger": ledger, **asdict(row)})


def stopped(connection: Connection, ledger: int) -> str | None:
    """Return why a host of the tenant sends nothing more, if one does."""
    found: str | None = connection.execute(_STOPPED, {"in_ledger": ledger}).scalar_one_or_none()
    return found


def hosts(connection: Connection, ledger: int) -> list[HostRow]:
    """Return every host that is remembered, the one seen last first."""
    found = connection.execute(_HOSTS, {"in_ledger": ledger}).mappings()
    return [
        HostRow(**{name: value for name, value in row.items() if name != "ledger"}) for row in found
    ]


def write_host(connection: Connection, ledger: int, *, row: HostRow) -> None:
    """Keep what a host wants and sees."""
    columns = asdict(row)
    known = {name: value for name, value in columns.items() if name != "host"}
    mine = {"in_ledger": ledger, "of_host": row.host}
    if connection.execute(_WRITE_HOST, mine | known).rowcount == 0:
        connection.execute(_MAKE_HOST, {"ledger": ledger, **columns})


def forget(connection: Connection, ledger: int, *, but: str, before: float) -> None:
    """Drop the rows of hosts that were not seen for long."""
    connection.execute(_FORGET, {"in_ledger": ledger, "but": but, "before": before})
