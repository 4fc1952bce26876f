"""`scripts/soak`: a long run with its bounds, or many lives of a runtime in one process."""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ledger.testing import SERVED
from sync.simulator import serve
from tests.postgresql import Cluster, running_server
from tests.sync.system.commands import DangerousSimulator, Station
from tests.sync.system.soak.campaign import CHANGES, Soak, Terms
from tests.sync.system.soak.figures import Bound, table
from tests.sync.system.soak.lag import percentile
from tests.sync.system.soak.restarts import Balance, living

DATABASES = ("sqlite", "postgresql")
PLACES_SHOWN = 12


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; returns 1 where a bound is broken."""
    given = _parser().parse_args(arguments)
    with _home(given.database) as folder:
        if given.restarts:
            return asyncio.run(_restart(folder, given))
        return asyncio.run(_soak(folder, given))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long events are told")
    parser.add_argument("--events-per-second", type=int, default=50)
    parser.add_argument("--database", choices=DATABASES, default="sqlite")
    parser.add_argument("--no-kills", action="store_true", help="one process for the whole time")
    parser.add_argument("--no-faults", action="store_true", help="no faults and no outages")
    parser.add_argument("--quiet", action="store_true", help="only the table at the end")
    parser.add_argument("--restarts", type=int, default=0, metavar="N", help="N lives instead")
    parser.add_argument("--seed", type=int, default=1, help="which moments lives are cancelled at")
    return parser


@contextmanager
def _home(database: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="dokstamp-soak-") as name:
        folder = Path(name)
        if database == "sqlite":
            yield folder
            return
        with running_server() as address:
            cluster = Cluster(address)
            with cluster.lent() as lent:
                (folder / SERVED).write_text(lent.render_as_string(hide_password=False))
                yield folder
            cluster.close()


async def _soak(folder: Path, given: argparse.Namespace) -> int:
    terms = Terms(
        minutes=given.minutes,
        per_second=given.events_per_second,
        kills=not given.no_kills,
        faults=not given.no_faults,
        told=(lambda _: None) if given.quiet else _say,
    )
    simulator = DangerousSimulator(journal_entries_max=10_000)
    async with serve(simulator) as address:
        soak = Soak(Station(folder, simulator, address, dict(CHANGES)), terms)
        await soak.run()
    bounds = soak.figures.bounds(has_wal=given.database == "sqlite")
    _say(_told(soak))
    for place, count in soak.figures.places.most_common(PLACES_SHOWN):
        _say(f"late {count:4} times at {place}")
    for fault in soak.figures.faults:
        _say(f"FAULT {fault}")
    return _end(bounds)


def _told(soak: Soak) -> str:
    figures, terms = soak.figures, soak.terms
    open_now = [still + lag for _, still, lag in figures.backlogs] or [0]
    rest = soak.rest.get("seconds", 0.0)
    return table([
        ("events", f"{soak.number}", f"{soak.number / terms.seconds:.1f} a second"),
        ("processes", f"{soak.lives}", f"{soak.kills} killed"),
        ("calls", str(sum(soak.verdict.get("requests", {}).values())), str(soak.verdict)),
        ("waiting, most and last", f"{max(open_now)}", f"{open_now[-1]}"),
        ("to do it all afterwards", f"{rest:.0f} s", f"{soak.rest.get('states')}"),
        ("slowest event", f"{figures.slowest_record * 1000:.0f} ms", ""),
        ("lag p50; p90, p99.9, ms", *_lags(figures.lag)),
        ("the loop's own work between two beats, ms", *_lags(figures.busy)),
        ("services that died", str(figures.deaths.total()), str(dict(figures.deaths))),
    ])  # fmt: skip


def _lags(counted: Counter[int]) -> tuple[str, str]:
    p50, p90, p999 = (percentile(counted, share) for share in (0.5, 0.9, 0.999))
    return f"{p50}", f"{p90}, {p999}"


async def _restart(folder: Path, given: argparse.Namespace) -> int:
    began = time.monotonic()

    def tell(number: int) -> None:
        if number % 50 == 0 and not given.quiet:
            _say(f"{time.monotonic() - began:6.0f} s  life {number}")

    async with living(folder, seed=given.seed) as lives:
        await lives.go_through(given.restarts, told=tell)
    balance = lives.balance
    for fault in balance.faults:
        _say(f"FAULT {fault}")
    _say(f"{balance.lives} lives, cancelled in {dict(balance.cancelled)}, "
         f"{(time.monotonic() - began) / balance.lives * 1000:.0f} ms each")  # fmt: skip
    return _end(_bounds(balance))


def _bounds(balance: Balance) -> list[Bound]:
    before, after = balance.before, balance.after
    assert before is not None
    assert after is not None
    found = [
        Bound(name, f"{getattr(before, name)} to {now}", "no more", now <= getattr(before, name))
        for name in ("tasks", "threads", "descriptors")
        for now in [getattr(after, name)]
    ]
    return [*found, Bound("faults", str(len(balance.faults)), "0", not balance.faults)]


def _end(bounds: Sequence[Bound]) -> int:
    _say(table([
        ("", "found", "wanted", ""),
        *((e.name, e.found, e.wanted, "holds" if e.holds else "BROKEN") for e in bounds),
    ]))  # fmt: skip
    return 0 if all(each.holds for each in bounds) else 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
