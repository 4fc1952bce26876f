"""The outage in each of its forms: what goes on in it, what stops, and what is told of it."""

import asyncio
import time
from typing import Final

from sync.errors import ConfigurationError
from sync.runtime.engine import Engine
from sync.runtime.health import health_of
from sync.runtime.status import status
from tests.sync.system.outages.gauges import Made, probes_max, resident_mib, shortest_gap
from tests.sync.system.outages.run import LANES, PROBE_SECONDS, Run, until

FORMS: Final = {
    "down": ("all", "down"),
    "refusing": ("all", "refusing"),
    "silent": ("all", "silent"),
    "no writes": ("writes", "faults error_before:status=503"),
}
"""Which calls each form stops, and how the service is brought to it."""
RETRY_AFTER_SECONDS: Final = 5
THROTTLING: Final = f"faults throttle:method=any,retry_after=seconds,seconds={RETRY_AFTER_SECONDS}"


async def suffer(run: Run, form: str) -> None:
    """Let the service fail in one way for a while, and see what that costs."""
    stopped, how = FORMS[form]
    before = await _appends_at_rest(run)
    async with run.engine() as engine:
        await _work(run, how)
        await until(lambda: stopped in run.calls.stopped_at, seconds=120)
        began, memory = run.calls.stopped_at[stopped], resident_mib()
        heard = (await run.service.ask("heard"))["heard"]
        appended = await run.appends_per_second()
        await asyncio.sleep(max(0.0, began + run.terms.outage_seconds - time.monotonic()))
        heard = (await run.service.ask("heard"))["heard"] - heard
        seconds = time.monotonic() - began
        grown = resident_mib() - memory
        await _judge_words(run, engine, form)
    _judge_calls(run, form, run.calls.since(began), seconds=seconds, heard=heard)
    run.note(f"{form}: memory grown MiB", grown, holds=grown < 32)
    told, lines = run.lines.count["circuit_changed"], sum(run.lines.count.values())
    # Where writes are what fails first, that all calls fail is one more.
    run.note(f"{form}: lines about it", told, holds=told == len(run.calls.stopped_at))
    run.note(f"{form}: log lines", lines, holds=lines <= 30)
    await _judge_log(run, form, appended, before=before)


async def be_throttled(run: Run) -> None:
    """Let the service answer nothing but 429 for a while, and ask for a rest each time."""
    before = await _appends_at_rest(run)
    async with run.engine():
        await _work(run, THROTTLING)
        await until(lambda: run.lines.count["tenant_paused"] > 0, seconds=120)
        began = time.monotonic()
        appended = await run.appends_per_second()
        await asyncio.sleep(max(0.0, began + run.terms.outage_seconds - time.monotonic()))
        made, seconds = len(run.calls.since(began)), time.monotonic() - began
    pauses = seconds / RETRY_AFTER_SECONDS + 1
    run.note("throttling: calls", made, holds=made <= 2 * pauses)
    run.note("throttling: calls a pause", made / pauses)
    told = run.lines.count["tenant_paused"]
    run.note("throttling: lines about it", told, holds=told == 1)
    await _judge_log(run, "throttling", appended, before=before)


async def _appends_at_rest(run: Run) -> float:
    """Return the speed of the log with everything at work but calls, and the service in order."""
    await run.service.ask("up")
    await run.service.ask("faults off")
    async with run.engine() as engine:
        engine.dispatcher.stop_tenant(ConfigurationError("nothing is sent while this is measured"))
        await until(lambda: engine.dispatcher.active == 0, seconds=60)
        return await run.appends_per_second()


async def _work(run: Run, how: str) -> None:
    """Let the service fail in the middle of work, when a token is at hand."""
    await until(lambda: sum(call.status == 200 for call in run.calls.made) > LANES, seconds=300)
    await run.service.ask(how)


async def _judge_words(run: Run, engine: Engine, form: str) -> None:
    """See that a host's health and another process' status say since when, and why."""
    stopped, _ = FORMS[form]
    health = health_of(engine).outage
    shown = (await status(run.ledger))["outage"]
    is_same = (
        health is not None
        and isinstance(shown, dict)
        and (shown["calls"], shown["reason"]) == (health.calls, health.reason)
        and health.calls == stopped
        and shown["next_probe"] is not None
    )
    run.note(f"{form}: told as", "" if health is None else health.why, holds=is_same)
    since = None if health is None else health.since
    ago = 0.0 if since is None else (run.ledger.clock.now() - since).total_seconds()
    run.note(f"{form}: told to last for seconds", ago, holds=ago >= run.terms.outage_seconds)


def _judge_calls(run: Run, form: str, made: list[Made], *, seconds: float, heard: int) -> None:
    """See that there was one probe for each interval and nothing else."""
    stopped, _ = FORMS[form]
    probes = made if stopped == "all" else [call for call in made if call.is_write]
    most = probes_max(seconds, first=PROBE_SECONDS)
    run.note(f"{form}: calls while it lasted", len(made))
    run.note(f"{form}: probes of at most {most}", len(probes), holds=1 <= len(probes) <= most)
    first = PROBE_SECONDS * 2
    gap = shortest_gap([call.began for call in probes], first=first)
    run.note(f"{form}: shortest gap of its interval", gap, holds=gap >= 0.95)
    if form in {"refusing", "silent"}:
        run.note(f"{form}: requests that reached the service", heard, holds=heard <= len(made))


async def _judge_log(run: Run, form: str, appended: float, *, before: float) -> None:
    """See that the log took events as fast as right before and right after."""
    after = await _appends_at_rest(run)
    base = (before + after) / 2
    run.note(f"{form}: appends a second", appended)
    run.note(f"{form}: appends a second before and after", base)
    run.note(f"{form}: appends to those", appended / base, holds=appended / base >= 0.8)
