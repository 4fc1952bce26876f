import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ledger.clock import ManualClock
from ledger.ledger import Ledger
from ledger.log.event import NewEvent
from ledger.reference import SourceRef
from ledger.testing import ledger_in
from sync.runtime.notary import Notary
from sync.runtime.publisher import Publisher, publishing
from sync.runtime.settings import Settings
from sync.telemetry.signals import CheckpointFailed, CheckpointPublished, Signal


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def ledger(home: Path, clock: ManualClock) -> AsyncIterator[Ledger]:
    async with ledger_in(home, clock=clock) as opened:
        yield opened


async def tell(ledger: Ledger, number: int) -> None:
    course = SourceRef("course", "C")
    await ledger.append([NewEvent("sis", str(number), "course.removed", course)])


def publisher(ledger: Ledger, folder: Path, heard: list[Signal]) -> Publisher:
    notary = Notary(ledger, key_file=folder / "ledger.key")
    target = folder / "checkpoints"
    return Publisher(ledger, notary, target=target, every_seconds=3600.0, announce=heard.append)


async def test_only_a_log_that_grew_is_published(ledger: Ledger, home: Path) -> None:
    (home / "checkpoints").mkdir()
    heard: list[Signal] = []
    await tell(ledger, 1)
    for _ in range(2):
        assert await publisher(ledger, home, heard).publish()
    await tell(ledger, 2)
    assert await publisher(ledger, home, heard).publish()

    assert heard == [CheckpointPublished(1), CheckpointPublished(2)]
    names = sorted(path.name for path in (home / "checkpoints").iterdir())
    assert names == ["checkpoint.1", "checkpoint.2"]


async def test_a_failure_is_announced_and_tried_again(ledger: Ledger, home: Path) -> None:
    heard: list[Signal] = []
    (home / "checkpoints").touch()
    notary = Notary(ledger, key_file=home / "ledger.key")
    target = home / "gone" / "file"
    broken = Publisher(ledger, notary, target=target, every_seconds=60.0, announce=heard.append)
    await tell(ledger, 1)

    assert not await broken.publish()
    target.parent.mkdir()
    assert await broken.publish()
    assert heard == [CheckpointFailed("StorageError"), CheckpointPublished(1)]


async def test_a_schedule_publishes_what_came_meanwhile_and_at_the_end(
    ledger: Ledger, home: Path, clock: ManualClock
) -> None:
    heard: list[Signal] = []
    published = asyncio.Event()

    def listen(signal: Signal) -> None:
        heard.append(signal)
        published.set()

    settings = Settings.load(
        environment={},
        ledger_database=str(home / "ledger.db"),
        ledger_key_file=home / "ledger.key",
        checkpoints=home / "newest",
        checkpoint_seconds=60,
    )
    await tell(ledger, 1)
    async with publishing(ledger, settings, announce=listen):
        await published.wait()
        published.clear()
        await tell(ledger, 2)
        # The turn that has just published goes to sleep in the same breath.
        await asyncio.sleep(0)
        clock.advance(60)
        await published.wait()
        await tell(ledger, 3)

    assert heard == [CheckpointPublished(1), CheckpointPublished(2), CheckpointPublished(3)]
    assert (home / "newest").read_text().split("\n")[1] == "3"


async def test_without_a_place_nothing_is_published(ledger: Ledger, home: Path) -> None:
    heard: list[Signal] = []
    settings = Settings.load(environment={}, ledger_database=str(home / "ledger.db"))
    async with publishing(ledger, settings, announce=heard.append):
        await tell(ledger, 1)

    assert not heard


async def test_a_scheduled_folder_that_is_not_there_is_no_file(ledger: Ledger, home: Path) -> None:
    heard: list[Signal] = []
    settings = Settings.load(
        environment={"DOKSTAMP_CHECKPOINTS": f"{home}/audit/"},
        ledger_database=str(home / "ledger.db"),
        ledger_key_file=home / "ledger.key",
    )
    await tell(ledger, 1)
    async with publishing(ledger, settings, announce=heard.append):
        pass

    assert heard[-1] == CheckpointFailed("StorageError")
    assert not (home / "audit").exists()
