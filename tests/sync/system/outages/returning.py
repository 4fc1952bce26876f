"""The return: how calls begin, how much of the rate is used, and what goes out first."""

import asyncio
import time
from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from ledger.outbox.operation import State
from ledger.reference import Scope
from ledger.schema.tables import operations
from tests.sync.system.outages.gauges import Made
from tests.sync.system.outages.run import LANES, Run, until
from tests.sync.system.outages.told import certificates


async def come_back(run: Run) -> None:
    """Let the service work again and see how calls begin, and how much of the rate is used."""
    await run.service.ask("up")
    await run.service.ask("faults off")
    await run.service.ask(f"limit {int(run.terms.rate * 60)}")
    async with run.engine() as engine:
        await until(lambda: len(run.calls.made) > LANES, seconds=300)
        await run.service.ask("down")
        await until(lambda: "all" in run.calls.stopped_at, seconds=120)
        # Asked for last of all, behind everything that waits.
        await run.tell(certificates(run.terms.graduates, of="G"))
        await _until_ready(run)
        done = await _count(run, State.DONE)
        await run.service.ask("up")
        returned = time.monotonic()
        await until(lambda: _is_back(run.calls.since(returned)), seconds=120)
        began = time.monotonic()
        await asyncio.sleep(1)
        first = len(run.calls.since(began))
        run.note("return: calls in the first second", first, holds=first <= run.terms.rate * 0.6)
        await _judge_order(run, done, began)
        await asyncio.sleep(max(0.0, began + 15 - time.monotonic()))
        await _judge_rate(run, "return")
        left = engine.pace.outage
        run.note("return: told to be over", str(left is None), holds=left is None)
    await _judge_service(run, "return", run.calls.since(returned))


async def be_told(run: Run) -> None:
    """Let the service tell its limit by headers alone, to a host without one in its settings."""
    await run.service.ask(f"limit {int(run.terms.rate * 60)}_told_silent")
    async with run.engine(per_second=0):
        began = time.monotonic()
        await until(lambda: len(run.calls.made) > LANES, seconds=300)
        await _judge_rate(run, "headers")
    await _judge_service(run, "headers", run.calls.since(began))


async def _judge_rate(run: Run, form: str) -> None:
    began = time.monotonic()
    await asyncio.sleep(run.terms.return_seconds)
    made = run.calls.since(began)
    used = len(made) / (run.terms.rate * (time.monotonic() - began))
    run.note(f"{form}: used part of the allowed rate", used, holds=0.9 <= used <= 1.0)
    run.note(f"{form}: calls measured", len(made))


async def _judge_service(run: Run, form: str, made: Sequence[Made]) -> None:
    """See what the service has to say of all calls since then, the first of them included."""
    throttled = sum(call.status == 429 for call in made)
    run.note(f"{form}: calls answered 429", throttled)
    part = throttled / max(1, len(made))
    run.note(f"{form}: part answered 429", part, holds=part < 0.001)
    # Whatever names a record that is not there yet is answered 422 or 404.
    early = sum(call.status in {404, 409, 422} for call in made)
    run.note(f"{form}: calls out of dependency order", early, holds=early == 0)
    faults = (await run.service.ask("verdict"))["faults"]
    run.note(f"{form}: faults in the service's journal", len(faults), holds=not faults)


async def _judge_order(run: Run, before: dict[str, int], began: float) -> None:
    """See how long the certificates waited that were ready when the service came back."""
    waiting = run.terms.graduates
    while (await _count(run, State.READY))["certificate"]:
        await _pause(began)
    run.note("return: certificates that were ready", waiting)
    run.note("return: seconds until all were begun", time.monotonic() - began)
    others = (await _count(run, State.DONE))["others"] - before["others"]
    # Of three claims two are certificates while there are any; what was claimed by then is let be.
    most = waiting // 2 + 2 * LANES
    run.note(f"return: bulk done by then, of at most {most}", others, holds=others <= most)
    while (await _count(run, State.DONE))["certificate"] < before["certificate"] + waiting:
        await _pause(began)
    run.note("return: seconds until all were issued", time.monotonic() - began)


async def _pause(began: float) -> None:
    assert time.monotonic() < began + 600, "the certificates do not go out"
    await asyncio.sleep(0.2)


async def _until_ready(run: Run) -> None:
    deadline = time.monotonic() + 120
    while (await _count(run, State.READY))["certificate"] < run.terms.graduates:
        assert time.monotonic() < deadline, (
            "the certificates are not planned, or wait for something"
        )
        await asyncio.sleep(0.2)


async def _count(run: Run, state: State) -> dict[str, int]:
    def count(connection: Connection, scope: Scope) -> dict[str, int]:
        found = connection.execute(
            select(operations.c.entity, func.count())
            .where(
                operations.c.ledger == scope.ledger,
                operations.c.generation == scope.generation,
                operations.c.state == state.value,
            )
            .group_by(operations.c.entity)
        )
        counts = {str(entity): int(number) for entity, number in found.all()}
        issued = counts.pop("certificate", 0)
        return {"certificate": issued, "others": sum(counts.values())}

    return await run.ledger.read_folded(count)


def _is_back(made: Sequence[Made]) -> bool:
    return any(call.status is not None and call.status < 300 for call in made)
