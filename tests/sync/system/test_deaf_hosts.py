"""A notification that is lost costs a host no more than its next look."""

import asyncio
from pathlib import Path

import pytest

from ledger.ledger import Ledger
from ledger.testing import address_in, ledger_in
from sync.runtime.engine import Engine
from sync.telemetry.signals import BatchPlanned, Signal
from tests.sync.dispatcher.floor import Register
from tests.sync.runtime.test_engine import SETTINGS, Works

POLL_SECONDS = 0.05
SECONDS_MAX = 30


@pytest.mark.parametrize("hears", [False, True])
async def test_a_host_works_on_what_another_appended_whether_it_heard_of_it_or_not(
    home: Path, *, hears: bool
) -> None:
    has_planned = asyncio.Event()

    def announce(signal: Signal) -> None:
        if isinstance(signal, BatchPlanned):
            has_planned.set()

    async with ledger_in(home) as ledger, await Ledger.open(address_in(home)) as writer:
        register = Register(ledger.clock)
        # Who hears may look as seldom as this: it would be too late without the notification.
        is_told = hears and ledger.database.is_shared
        poll_seconds = 2 * SECONDS_MAX if is_told else POLL_SECONDS
        engine = Engine(ledger, register, SETTINGS, announce=announce, poll_seconds=poll_seconds)
        if is_told:
            heard = ledger.bell.rings
            ledger.listen()
            await ledger.bell.wait(heard, seconds_max=SECONDS_MAX)
        await engine.start()
        await Works(writer, register, engine, []).record("A")
        async with asyncio.timeout(SECONDS_MAX):
            await has_planned.wait()
        await engine.stop(drain_seconds=5)

    assert has_planned.is_set()
