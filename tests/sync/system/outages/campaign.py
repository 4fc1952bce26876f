"""One long outage in every form, with a mass of operations waiting, and the return after it."""

import time
from pathlib import Path

from sync.projector.worker import Projector
from tests.sync.system.outages import told
from tests.sync.system.outages.returning import be_told, come_back
from tests.sync.system.outages.run import Run, Terms, running, until
from tests.sync.system.outages.suffering import FORMS, be_throttled, suffer


async def campaign(folder: Path, terms: Terms) -> Run:
    """Go through all of it and return what was measured."""
    async with running(folder, terms) as run:
        await prepare(run)
        await build(run)
        for form in FORMS:
            await suffer(run, form)
        await be_throttled(run)
        await come_back(run)
        await be_told(run)
        return run


async def prepare(run: Run) -> None:
    """Let everything be sent that the certificates will need, at no limit."""
    await run.tell(told.structure())
    await run.tell(told.graduates(run.terms.graduates, of="G"))
    async with run.engine(per_second=0) as engine:
        expected = 2 + 2 * run.terms.graduates
        await until(lambda: engine.dispatcher.counts.done >= expected, seconds=300)


async def build(run: Run) -> None:
    """Leave so many operations waiting, each student in a lane of its own."""
    began = time.monotonic()
    await run.tell(told.graduates(run.terms.graduates, of="L"))
    for first in range(0, run.terms.operations, 1000):
        last = min(first + 1000, run.terms.operations)
        await run.tell(told.student(number, of="B") for number in range(first, last))
    run.note("build: seconds to take events in", time.monotonic() - began)
    began = time.monotonic()
    projector = Projector(run.ledger)
    while await projector.project():
        pass
    run.note("build: seconds to plan", time.monotonic() - began)
