"""Acts on what stands beside the log: erasures in doubt, keys, checkpoints, backups, the inbox."""

import asyncio
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from ledger.log.inbox_store import Entry
from sync.runtime import moving
from sync.runtime.decisions import Signature
from sync.runtime.erasures import Erasures
from sync.runtime.ingest_ledger import LedgerIngest
from sync.runtime.notary import Notary
from sync.runtime.subject_admin import subject_erase
from tests.sync.runtime.hosts import host_at
from tests.sync.system.killing.remains import BACKUP, CHECKPOINT
from tests.sync.system.killing.stage import Stage
from tests.sync.system.university import Told

SIGNATURE = Signature("registrar", "asked to be forgotten")


async def claim_all(stage: Stage) -> None:
    """Claim whatever is ready and die: nobody knows what was sent."""
    await stage.take_over()
    writer, dispatcher = stage.engine.dispatcher._bench.writer, stage.engine.dispatcher
    claimed = await writer.claim(dispatcher._claim_terms(2))
    assert claimed, "something was to be claimed"


async def erase_in_doubt(stage: Stage) -> None:
    """Erase a student about whom something is in doubt: that is found out first."""
    await stage.take_over()
    erased = await subject_erase(stage.ledger, "S-1", signature=SIGNATURE)
    await stage.work_off()
    await Erasures(stage.ledger).finish()
    stage.notebook.note("erased", erased.person)


async def rotate(stage: Stage, told: tuple[Told, ...], *, first: int) -> None:
    """Bring in a new master key while more is appended."""
    await asyncio.gather(_rotate(stage), stage.append(told, first=first))


async def _rotate(stage: Stage) -> None:
    count = await stage.ledger.vault.rotate()
    stage.notebook.note("rotated", str(count))


async def publish(stage: Stage, told: tuple[Told, ...], *, first: int) -> None:
    """Publish a checkpoint, append, and publish another one in its place."""
    await publish_once(stage)
    await stage.append(told, first=first)
    await publish_once(stage)


async def publish_once(stage: Stage) -> None:
    """Publish a checkpoint."""
    notary = Notary(stage.ledger, key_file=stage.settings.address.key_file)
    published = await notary.publish(stage.folder / CHECKPOINT)
    stage.notebook.note("published", str(published.size))


async def back_up(stage: Stage, told: tuple[Told, ...], *, first: int) -> None:
    """Take a backup while more is appended."""
    await asyncio.gather(_back_up(stage), stage.append(told, first=first))


async def _back_up(stage: Stage) -> None:
    folder: Path = stage.folder / BACKUP
    if not await asyncio.to_thread(folder.exists):
        await moving.backup(stage.ledger, stage.settings, folder)
        stage.notebook.note("backup", folder.name)


async def put_and_take(stage: Stage, told: tuple[Told, ...]) -> None:
    """Put events into transactions of a host's, and take them into the log."""
    inbox, documents = stage.engine.inbox, LedgerIngest(stage.ledger)
    async with host_at(stage.settings.address.place) as host:
        for item in stage.items(told, first=1):
            entry = await inbox.prepare(item, documents=documents)
            await host.commit(partial(_put, stage, entry))
            stage.notebook.note("put", entry.prepared.id)
    await inbox.take()


def _put(stage: Stage, entry: Entry, connection: Connection) -> None:
    stage.engine.inbox.put(connection, entry)


async def take_rest(stage: Stage) -> None:
    """Take what still waits in the inbox."""
    while await stage.engine.inbox.take():
        pass
