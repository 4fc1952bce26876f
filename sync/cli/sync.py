"""`sync`: project and dispatch until nothing more can be done within the patience."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import ceil
from typing import Final

import click

from sync.cli import interrupt
from sync.cli.exits import Exit
from sync.cli.output import Output, Row, warn, with_output
from sync.cli.progress import Meter, metering
from sync.cli.shell import Shell
from sync.runtime.assembly import open_ledger
from sync.runtime.engine import Engine
from sync.runtime.settings import Settings
from sync.runtime.sync_run import SyncReport, run_sync
from sync.telemetry import Announce

LOOK_SECONDS: Final = 1.0


@click.command()
@click.option("--patience", "patience_seconds", type=float, help="Seconds to wait for progress.")
@with_output()
@click.pass_obj
def sync(shell: Shell, *, patience_seconds: float | None, output: Output) -> Exit:
    """Bring DokStamp up to date with the ledger, as far as that goes now."""
    settings = shell.settings(patience_seconds=patience_seconds)
    report = interrupt.run(_sync(settings, shell.announce()))
    output.one(report, _text)
    code = Exit(report.exit)
    if report.seconds_to_takeover is not None and code is Exit.LATER:
        warn(HELD_ELSEWHERE.format(seconds=ceil(report.seconds_to_takeover)))
    elif code in HINTS:
        warn(HINTS[code])
    return code


HINTS: Final = {
    Exit.NEEDS_A_PERSON: "something needs a person: see `dokstamp-ledger status`, "
    "`outbox list` and `quarantine list`",
    Exit.LATER: "not everything could be done now: run `dokstamp-ledger sync` again later, "
    "nothing is lost",
}
HELD_ELSEWHERE: Final = (
    "another host is at work on the rest, or was: should it be gone, its work can be taken over "
    "in {seconds} s. Run `dokstamp-ledger sync` again then, nothing is lost"
)
WAITING: Final = (
    "another host holds what is left; if it died, its work is taken over in {seconds} s: waiting"
)


async def _sync(settings: Settings, announce: Announce) -> SyncReport:
    async with open_ledger(settings) as ledger:
        begun = asyncio.get_running_loop().create_future()
        with metering() as meter:
            async with _watching(begun, meter):
                return await run_sync(
                    ledger,
                    settings,
                    announce=announce,
                    begun=begun.set_result,
                    waiting=lambda seconds: warn(WAITING.format(seconds=ceil(seconds))),
                )


@asynccontextmanager
async def _watching(begun: asyncio.Future[Engine], meter: Meter) -> AsyncIterator[None]:
    """Show how far the engine is while the block runs."""
    watcher = asyncio.create_task(_watch(begun, meter))
    try:
        yield
    finally:
        watcher.cancel()
        await asyncio.gather(watcher, return_exceptions=True)


async def _watch(begun: asyncio.Future[Engine], meter: Meter) -> None:
    engine = await begun
    while True:
        remaining = await engine.remaining()
        done = engine.dispatcher.counts.done
        total = done + remaining.waiting + remaining.uncertain + remaining.lag
        meter.show("operations done", done=done, total=total)
        await asyncio.sleep(LOOK_SECONDS)


def _text(report: Row) -> str:
    calls = ", ".join(f"{count} {method}" for method, count in report["calls"].items())
    return (
        f"{report['done']} done, {report['waiting']} waiting, {report['held']} held, "
        f"{report['dead']} refused, {report['uncertain']} uncertain{_looks(report)}\n"
        f"calls: {calls or 'none'}; {report['seconds']} s"
    )


def _looks(report: Row) -> str:
    count = report["late_looks"]
    return f", {count} to be looked at once more later" if count else ""
