"""What is killed: append, project, claim, settle, erase, rebuild; small, and the real code."""

import asyncio

from ledger.outbox import lease_store
from sync.projector.rebuild_worker import rebuild
from sync.runtime.decisions import Signature
from sync.runtime.subject_admin import subject_erase
from tests.sync.system.killing import further, openings, remains
from tests.sync.system.killing.phase import Phase
from tests.sync.system.killing.stage import Stage
from tests.sync.system.killing.telling import (
    CHANGE,
    FEW,
    FIRST,
    GRADUATION,
    SECOND,
    SPOILT,
)
from tests.sync.system.university import Told, diploma


async def nothing(_stage: Stage) -> None:
    """Leave the ledger empty."""


async def append(stage: Stage) -> None:
    """Take events from a file, events from two callers at once, and a document by itself."""
    await stage.ingest(FIRST, first=1, spoilt=SPOILT)
    first = 1 + len(FIRST)
    await asyncio.gather(
        stage.append(SECOND[:1], first=first), stage.append(SECOND[1:], first=first + 1)
    )
    digest = await stage.ledger.documents.add(diploma(2), now=stage.clock.now())
    stage.notebook.note("document", digest)


async def told_first(stage: Stage) -> None:
    """Have the first events in the log, and nothing planned."""
    await stage.ingest(FIRST, first=1)


async def project(stage: Stage) -> None:
    """Plan what is there, take one more in, plan that, and open the gates."""
    await stage.project()
    stage.notebook.note("planned", str(len(FIRST)))
    await stage.append(SECOND[:1], first=1 + len(FIRST))
    await stage.project()
    stage.notebook.note("planned", str(1 + len(FIRST)))


async def planned_few(stage: Stage) -> None:
    """Have a few events planned and nothing sent."""
    await stage.ingest(FEW, first=1)
    await stage.project()


async def planned_graduation(stage: Stage) -> None:
    """Have a graduation planned and nothing sent."""
    await stage.ingest(GRADUATION, first=1)
    await stage.project()


async def claim(stage: Stage) -> None:
    """Claim, lose the lease to the time that passes, and claim again what is now in doubt."""
    await stage.take_over()
    writer, dispatcher = stage.engine.dispatcher._bench.writer, stage.engine.dispatcher
    for _ in range(2):
        claimed = await writer.claim(dispatcher._claim_terms(2))
        for group in claimed:
            for operation in group.operations:
                stage.notebook.note("claimed", operation.key)
        await _beat(stage, {group.epoch for group in claimed})
        stage.clock.advance(2 * stage.settings.lease_seconds + stage.settings.settle_seconds)


async def _beat(stage: Stage, epochs: set[int]) -> None:
    now = stage.clock.now().timestamp()
    await stage.ledger.database.run(
        lambda connection: lease_store.extend(
            connection,
            stage.ledger.scope,
            host=stage.engine.host,
            among=epochs,
            now=now,
            until=now + stage.settings.lease_seconds,
        )
    )


async def settle(stage: Stage) -> None:
    """Carry everything out, one lane at a time."""
    await stage.take_over()
    await stage.work_off()


async def settled_first(stage: Stage) -> None:
    """Have the first events carried out."""
    await told_first(stage)
    await settle(stage)


async def refold(stage: Stage) -> None:
    """Put a new folding in the place of the live one while more is appended."""
    await asyncio.gather(
        rebuild(stage.ledger, check=False), stage.append(SECOND[:1], first=1 + len(FIRST))
    )


async def finish(stage: Stage, told: tuple[Told, ...] = FEW) -> None:
    """Come to the end that every phase has in common: everything is told and carried out."""
    await stage.take_over()
    await stage.ingest(told, first=1, spoilt=SPOILT)
    await stage.work_off()
    again = await stage.append(told, first=1)
    stage.notebook.note("again", *sorted(set(again)))
    await stage.attest()


async def finish_graduation(stage: Stage) -> None:
    """Come to the end of a graduation."""
    await finish(stage, GRADUATION)


async def finish_rebuilt(stage: Stage) -> None:
    """Rebuild to the end first: nothing else may need that, and nothing may be hurt by it."""
    await rebuild(stage.ledger, check=False)
    await finish(stage)


async def never_sent(stage: Stage) -> None:
    """Have a graduation settled, and a change planned that was never sent."""
    await planned_graduation(stage)
    await settle(stage)
    await stage.append(CHANGE, first=1 + len(GRADUATION))
    await stage.project()


async def erase(stage: Stage) -> None:
    """Erase the student: the change is given up, then data, key and document go."""
    signature = Signature("registrar", "asked to be forgotten")
    erased = await subject_erase(stage.ledger, "S-1", signature=signature)
    assert erased.is_finished, erased
    stage.notebook.note("erased", erased.person)


async def finish_erased(stage: Stage) -> None:
    """Erase to the end, and come to the end of everything else."""
    await erase(stage)
    await finish(stage, GRADUATION + CHANGE)


async def in_doubt(stage: Stage) -> None:
    """Have a change in doubt: it was claimed, and who claimed it died."""
    await never_sent(stage)
    await further.claim_all(stage)


async def finish_doubtful(stage: Stage) -> None:
    """Come to the end of an erasure that waited for what was in doubt."""
    await further.erase_in_doubt(stage)
    await finish(stage, GRADUATION + CHANGE)


async def rotate(stage: Stage) -> None:
    """Bring in a new master key while more is appended."""
    await further.rotate(stage, SECOND[:1], first=1 + len(FIRST))


async def publish(stage: Stage) -> None:
    """Publish two checkpoints, one in the place of the other."""
    await further.publish(stage, SECOND[:1], first=1 + len(FIRST))


async def back_up(stage: Stage) -> None:
    """Take a backup while more is appended."""
    await further.back_up(stage, SECOND[:1], first=1 + len(FIRST))


async def put_and_take(stage: Stage) -> None:
    """Put everything into a host's transactions, and take it from there."""
    await further.put_and_take(stage, FEW)


async def finish_published(stage: Stage) -> None:
    """Publish again: what was published before counts."""
    await publish(stage)
    await finish(stage)


async def finish_backed_up(stage: Stage) -> None:
    """Take the backup if there is none."""
    await back_up(stage)
    await finish(stage)


async def finish_taken(stage: Stage) -> None:
    """Take what waits, then tell everything once more."""
    await further.take_rest(stage)
    await finish(stage)


async def published_since(stage: Stage) -> None:
    """Have a backup, and more that was carried out and published since."""
    await settled_first(stage)
    await back_up(stage)
    await stage.work_off()
    await publish(stage)


async def finish_older(stage: Stage) -> None:
    """Accept that the ledger is an older one, and come to the end."""
    await openings.accept(stage)
    await finish(stage)


PHASES = {
    phase.name: phase
    for phase in (
        Phase("append", nothing, append, finish),
        Phase("project", told_first, project, finish),
        Phase("claim", planned_few, claim, finish),
        Phase("settle", planned_graduation, settle, finish_graduation, GRADUATION),
        Phase(
            "erase",
            never_sent,
            erase,
            finish_erased,
            told=GRADUATION,
            unsent=CHANGE,
            erases=True,
        ),
        Phase(
            "erase in doubt",
            in_doubt,
            further.erase_in_doubt,
            finish_doubtful,
            told=GRADUATION,
            unsent=CHANGE,
            ended=remains.forgetting_faults,
        ),
        Phase("rebuild", settled_first, refold, finish_rebuilt),
        Phase("rotate", told_first, rotate, finish, left=remains.key_faults),
        Phase(
            "checkpoint",
            told_first,
            publish,
            finish_published,
            left=remains.checkpoint_faults,
            ended=remains.checkpoint_faults,
        ),
        Phase(
            "backup",
            told_first,
            back_up,
            finish_backed_up,
            left=remains.backup_faults,
            ended=remains.backup_faults,
        ),
        Phase("inbox", nothing, put_and_take, finish_taken, left=remains.inbox_faults),
        Phase(
            "init",
            nothing,
            nothing,
            finish,
            left=openings.making_faults,
            victim=openings.MAKER,
            survivor=openings.REMAKER,
            is_empty_before=True,
        ),
        Phase(
            "restore",
            published_since,
            nothing,
            finish_older,
            left=openings.restoring_faults,
            victim=openings.RESTORER,
            survivor=openings.RESTORER_AGAIN,
            is_replaced=True,
        ),
        Phase(
            "accept older",
            published_since,
            openings.accept,
            finish_older,
            left=openings.accepting_faults,
            ended=openings.accepting_faults,
            preparer=openings.RESTORER,
            victim=openings.ACCEPTOR,
            survivor=openings.ACCEPTOR_AGAIN,
        ),
    )
}
