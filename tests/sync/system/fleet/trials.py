"""What several hosts must stand: sharing, a stop beyond the lease, a kill, a lost projector."""

import asyncio
import signal
import time
from dataclasses import dataclass, field
from itertools import pairwise

from sqlalchemy import Connection

from ledger.log import store as log_store
from ledger.log.envelope import Stored
from tests.sync.system.fleet.hosts import Fleet, Host
from tests.sync.system.fleet.journal import conflicts, handed_over
from tests.sync.system.fleet.workload import beginning, changes, people

QUIET_BEATS = 3.0
LOG_MAX = 1_000_000


@dataclass(slots=True)
class Finding:
    """What a trial measured, and what did not hold."""

    figures: dict[str, float] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


async def share(fleet: Fleet, *, hosts: int, students: int) -> Finding:
    """Let hosts share the work of two terms, and look for two of them in one conversation."""
    told = beginning(students)
    await fleet.station.ingest(told)
    for _ in range(hosts):
        await fleet.recruit()
    await fleet.done(changes(students, "Once"))
    await fleet.done(changes(students, "Twice"))
    found = fleet.chains()
    shares = [len(fleet.calls_of(host, since=0)) for host in fleet.hosts]
    finding = Finding(faults=[*conflicts(found), *await fleet.faults()])
    if not all(shares):
        finding.faults.append(f"a host did nothing: {shares}")
    finding.figures = {
        "records": len(found),
        "calls": sum(shares),
        "smallest share %": 100 * min(shares) / sum(shares),
        "records that changed hosts": handed_over(found),
        "conflicts": len(conflicts(found)),
    }
    return finding


async def stop_beyond_lease(fleet: Fleet, *, students: int) -> Finding:
    """Stop a host in a conversation for longer than its lease, then wake it."""
    await fleet.station.ingest(beginning(students))
    for _ in range(2):
        await fleet.recruit()
    sleeper = fleet.hosts[0]
    stopped = await _strike_amid_calls(fleet, sleeper, signal.SIGSTOP)
    taken = await fleet.until(lambda: _has_no_lease(fleet, sleeper), "nobody took over")
    await fleet.until(lambda: _is_over(fleet), "the work does not end")
    asleep = fleet.calls_of(sleeper, since=stopped)
    size = (await fleet.ledger.head()).size
    woken = sleeper.send(signal.SIGCONT)
    await asyncio.sleep(fleet.pattern.lease_seconds / QUIET_BEATS)
    late = fleet.calls_of(sleeper, since=woken)
    settled = [
        public for name, public in await _log(fleet, size)
        if name == "operation.settled" and public.get("host") == sleeper.name
    ]  # fmt: skip
    finding = Finding({"seconds to take over": taken - stopped, "on the wire": len(asleep)})
    finding.faults += [f"a woken host sends {call.method} {call.path}" for call in late]
    finding.faults += [f"a woken host settles operation {each['operation']}" for each in settled]
    await fleet.done(changes(students, "Woken"))
    if not fleet.calls_of(sleeper, since=woken):
        finding.faults.append("a woken host works no more")
    finding.faults += [*conflicts(fleet.chains()), *await fleet.faults()]
    return finding


async def kill(fleet: Fleet, *, students: int) -> Finding:
    """Kill a host in a conversation; its lanes must be freed within a lease and a settle window."""
    await fleet.station.ingest(beginning(students))
    for _ in range(2):
        await fleet.recruit()
    victim = fleet.hosts[0]
    killed = await _strike_amid_calls(fleet, victim, signal.SIGKILL)
    others = fleet.hosts[1]
    await fleet.until(lambda: _calls_since(fleet, others, killed), "nobody goes on")
    went_on = fleet.calls_of(others, since=killed)[0].begun
    taken = await fleet.until(lambda: _has_no_lease(fleet, victim), "nobody took over")
    await fleet.until(lambda: _is_over(fleet), "the work does not end")
    pattern = fleet.pattern
    finding = Finding(
        {
            "seconds until others go on": went_on - killed,
            "seconds to take over": taken - killed,
            "lease and settle window": pattern.lease_seconds + pattern.settle_seconds,
        }
    )
    finding.faults += [*conflicts(fleet.chains()), *await fleet.faults()]
    return finding


async def grow(fleet: Fleet, *, hosts: int, students: int) -> Finding:
    """Measure how many operations so many hosts do in a second."""
    for _ in range(hosts):
        await fleet.start()
    await fleet.done(people(students))
    calls = fleet.far.calls()
    seconds = max(each.ended for each in calls) - min(each.begun for each in calls)
    finding = Finding({"hosts": hosts, "operations a second": students / seconds})
    finding.faults += [*conflicts(fleet.chains()), *await fleet.faults()]
    return finding


async def replace_projector(fleet: Fleet, *, rounds: int, number: signal.Signals) -> Finding:
    """Strike one of two hosts while events come in; the other must go on planning."""
    await fleet.station.ingest(people(1))
    for _ in range(2):
        await fleet.start()
    await fleet.until(lambda: _is_over(fleet), "the work does not end")
    gaps = [await _plan_one(fleet, at) for at in range(2, 2 + rounds)]
    while await _strike(fleet, fleet.hosts[0], number) is None:
        pass
    after = await _plan_one(fleet, 2 + rounds)
    finding = Finding(
        {
            "seconds to plan, both at work": sorted(gaps)[len(gaps) // 2],
            "seconds to plan after the strike": after,
        }
    )
    if number == signal.SIGSTOP:
        fleet.hosts[0].send(signal.SIGCONT)
    await fleet.until(lambda: _is_over(fleet), "the work does not end")
    finding.faults += await _planned_twice(fleet)
    finding.faults += await fleet.faults()
    return finding


async def _plan_one(fleet: Fleet, number: int) -> float:
    """Return how long after an event came in it is planned."""
    size = (await fleet.ledger.head()).size
    await fleet.station.ingest(people(1, first=number))
    begun = time.monotonic()

    async def is_planned() -> bool:
        return any(name == "operations.planned" for name, _ in await _log(fleet, size))

    return await fleet.until(is_planned, "nobody plans") - begun


async def _planned_twice(fleet: Fleet) -> list[str]:
    """Tell of plans that do not follow each other: two projectors would have made them."""
    through = [int(str(p["through"])) for n, p in await _log(fleet, 0) if n == "operations.planned"]
    is_ordered = all(earlier < later for earlier, later in pairwise(through))
    return [] if is_ordered else [f"plans overlap: {through}"]


async def _strike_amid_calls(fleet: Fleet, host: Host, number: signal.Signals) -> float:
    """Send a signal while a call of this host is under way, and it is in no transaction."""
    while True:
        await fleet.until(lambda: _is_calling(fleet, host), "the host makes no calls")
        struck = await _strike(fleet, host, number)
        if struck is not None:
            return struck


async def _strike(fleet: Fleet, host: Host, number: signal.Signals) -> float | None:
    """Send a signal and return when; `None` if that stopped it in a transaction: it goes on then.

    What it holds there nobody else may have, until the server makes an end of it.
    """
    struck = host.send(number)
    if number != signal.SIGSTOP:
        return struck
    # A transaction it stands in is older than a second by then, even if the server is slow.
    await asyncio.sleep(1.2)
    if not await fleet.is_stuck_in_a_transaction():
        return struck
    host.send(signal.SIGCONT)
    await asyncio.sleep(0.3)
    return None


async def _is_calling(fleet: Fleet, host: Host) -> bool:
    # The work that was there may be over before this host, or whoever waits for it, looks.
    await fleet.occupy()
    calls = fleet.calls_of(host, since=0)
    return bool(calls) and calls[-1].ended > time.monotonic()


async def _calls_since(fleet: Fleet, host: Host, since: float) -> bool:
    return bool(fleet.calls_of(host, since=since))


async def _has_no_lease(fleet: Fleet, host: Host) -> bool:
    return host.name not in await fleet.owners()


async def _is_over(fleet: Fleet) -> bool:
    return not await fleet.open_count()


async def _log(fleet: Fleet, size: int) -> list[tuple[str, dict[str, object]]]:
    """Return type and public part of outcome events from a position on."""

    def look(connection: Connection) -> list[Stored]:
        number = fleet.ledger.scope.ledger
        return log_store.read_page(
            connection, number, after=size - 1, limit=LOG_MAX, is_outcome=True
        )

    events = await fleet.ledger.sealer.open(await fleet.ledger.read(look))
    return [(event.type, dict(event.public)) for event in events]
