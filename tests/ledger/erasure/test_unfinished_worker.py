import asyncio
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection

from ledger.audit.verify_store import verify
from ledger.erasure.unfinished_worker import (
    finish,
    finish_erasures,
    finish_together,
    to_finish,
)
from ledger.erasure.worker import Erasing
from ledger.errors import IntegrityError, StorageError
from ledger.ledger import Ledger
from ledger.log import store as log_store
from ledger.reference import SourceRef
from ledger.schema.tables import events
from ledger.subjects.subject_store import Standing
from ledger.testing import address_in
from ledger.transaction import Verdict
from ledger.vault.secret_store import WRAPPING, load_secrets
from ledger.vault.wrapping import generation_of
from tests.ledger.persons import ANNA, BERT, MARK, event, name, populated, reopened, tell, wish
from tests.places import contents_in, disarm

Step = Callable[[Erasing], Awaitable[object]]


async def _begin(erasing: Erasing) -> None:
    await erasing.begin(wish())


async def _conclude(erasing: Erasing) -> None:
    assert await erasing.conclude(await erasing.standing(name(ANNA)))


async def _register(erasing: Erasing) -> None:
    await erasing.register(await erasing.standing(name(ANNA)))


async def _destroy(erasing: Erasing) -> None:
    await erasing.destroy(await erasing.standing(name(ANNA)))


async def _scrub(erasing: Erasing) -> None:
    await erasing.scrub(await erasing.standing(name(ANNA)))


STEPS: tuple[Step, ...] = (_begin, _conclude, _register, _destroy, _scrub)


async def kept_with(folder: Path) -> list[str]:
    """Return the files and tables that tell of the person."""
    kept = await contents_in(folder)
    return sorted(name for name, content in kept.items() if MARK.encode() in content)


async def is_erased(ledger: Ledger, who: SourceRef = ANNA) -> bool:
    erasing = Erasing(ledger)
    return await erasing.is_finished(await erasing.standing(name(who)))


@pytest.mark.parametrize("taken", range(1, len(STEPS) + 1))
async def test_an_erasure_that_stopped_anywhere_is_finished_on_the_next_open(
    home: Path, taken: int
) -> None:
    async with populated(home) as ledger:
        for step in STEPS[:taken]:
            await step(Erasing(ledger))

    async with await reopened(home) as ledger:
        assert await is_erased(ledger)
        assert (await verify(ledger)).first_bad_position is None
        assert (await tell(ledger, event(9)))[0].verdict is Verdict.ERASED
        assert await kept_with(home) == []


async def test_who_is_erased_altogether_is_looked_at_no_more(home: Path) -> None:
    async def left(ledger: Ledger) -> list[str]:
        found = to_finish(ledger, {Standing.ERASING, Standing.ERASED})
        return [each.person async for each in found]

    async with populated(home) as ledger:
        for step in STEPS[:-1]:
            await step(Erasing(ledger))
        before = await left(ledger)
        await _scrub(Erasing(ledger))
        after = await left(ledger)
        ledger.vault.register.path.unlink()
        without_register = await left(ledger)

    assert (before, after, without_register) == ([name(ANNA)], [], [name(ANNA)])


async def test_a_register_that_cannot_be_written_keeps_an_erasure_for_later(home: Path) -> None:
    async with populated(home) as ledger:
        await Erasing(ledger).begin(wish())
        path = ledger.vault.register.path
        # No link is followed, so that it is refused also to who may write anywhere.
        path.symlink_to(home / "nowhere")

    with pytest.raises(StorageError, match="finished when the ledger is next opened") as caught:
        await reopened(home)
    path.unlink()

    assert str(path) in str(caught.value)
    async with await reopened(home) as ledger:
        assert await is_erased(ledger)
        assert await kept_with(home) == []


async def generation(ledger: Ledger) -> int:
    number = ledger.vault.ledger
    stored = await ledger.vault.database.read(lambda connection: load_secrets(connection, number))
    return generation_of(stored[WRAPPING])


async def test_several_erasures_wrap_the_other_keys_anew_once(home: Path) -> None:
    async with populated(home) as ledger:
        erasing = Erasing(ledger)
        for who in (ANNA, BERT):
            await erasing.begin(wish(who))
        before = await generation(ledger)
        is_shared = ledger.database.is_shared

    async with await reopened(home) as ledger:
        for who in (ANNA, BERT):
            assert await is_erased(ledger, who)
        assert await generation(ledger) == before + (1 if is_shared else 0)
        assert await kept_with(home) == []


@pytest.mark.parametrize("bad", [ANNA, BERT])
async def test_who_cannot_be_erased_keeps_nobody_else_from_it(home: Path, bad: SourceRef) -> None:
    (other,) = {ANNA, BERT} - {bad}
    async with populated(home) as ledger:
        for who in (ANNA, BERT):
            await Erasing(ledger).begin(wish(who))
        await ledger.database.run(partial(_damage, person=name(bad)))

        with pytest.raises(IntegrityError):
            await finish_together(ledger, [name(ANNA), name(BERT)])
        with pytest.raises(IntegrityError):
            await finish_erasures(ledger)

        assert await is_erased(ledger, other)
        assert not await is_erased(ledger, bad)


def _damage(connection: Connection, *, person: str) -> None:
    disarm(connection)
    broken = events.update().where(events.c.person == person, events.c.sealed.is_not(None))
    connection.execute(broken.values(sealed=b"damaged"))


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from tests.ledger.persons import populated
from tests.ledger.erasure.test_unfinished_worker import STEPS
from ledger.erasure.worker import Erasing

async def main():
    async with populated(Path(sys.argv[1])) as ledger:
        for step in STEPS[: int(sys.argv[2])]:
            await step(Erasing(ledger))
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


@pytest.mark.parametrize("taken", [2, 4])
async def test_an_erasure_that_was_killed_leaves_nothing_readable_after_the_next_open(
    home: Path, taken: int
) -> None:
    root = Path(__file__).parents[3]
    words = ("-c", KILLED, str(home), str(taken))
    process = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=root)

    assert await process.wait() == -signal.SIGKILL
    async with await reopened(home) as ledger:
        assert await is_erased(ledger)
        assert await kept_with(home) == []


@pytest.mark.one_database("a server's backup is the server's to take; a copy of files is as good")
async def test_a_backup_from_before_is_erased_again_with_the_events_on_record(
    tmp_path: Path,
) -> None:
    live, backup = tmp_path / "live", tmp_path / "backup"
    live.mkdir()
    async with populated(live):
        pass
    shutil.copytree(live, backup)
    async with await reopened(live) as ledger:
        await finish(ledger, await Erasing(ledger).begin(wish()))
    shutil.copy(live / "ledger.key.erased", backup)

    async with await reopened(backup) as ledger:
        page = await ledger.read(_types(ledger))
        assert await is_erased(ledger)
        assert page[-2:] == ["subject.erasing", "subject.erased"]
        assert (await tell(ledger, event(9)))[0].verdict is Verdict.ERASED
        assert (await verify(ledger)).first_bad_position is None


@pytest.mark.one_database("a server's backup is the server's to take; a copy of files is as good")
async def test_a_backup_that_never_knew_the_erased_person_takes_nothing_of_them(
    tmp_path: Path,
) -> None:
    live, backup, late = tmp_path / "live", tmp_path / "backup", SourceRef("person", "P~9")
    live.mkdir()
    async with populated(live):
        pass
    shutil.copytree(live, backup)
    async with await reopened(live) as ledger:
        await tell(ledger, event(9, late))
        await finish(ledger, await Erasing(ledger).begin(wish(late)))
    shutil.copy(live / "ledger.key.erased", backup)

    async with await reopened(backup) as ledger:
        answer = await tell(ledger, event(9, late))

    assert [each.verdict for each in answer] == [Verdict.ERASED]


async def test_a_lost_register_is_filled_again_from_the_log(home: Path) -> None:
    async with populated(home) as ledger:
        await finish(ledger, await Erasing(ledger).begin(wish()))
        ledger.vault.register.path.unlink()

    async with await reopened(home) as ledger:
        assert ledger.vault.register.names(ledger.ledger_id) == {name(ANNA)}


async def test_an_open_without_erasures_writes_nothing(home: Path) -> None:
    async with populated(home) as ledger:
        size = (await ledger.head()).size

        assert await finish_erasures(ledger) == ()
        assert (await ledger.head()).size == size
        assert not ledger.vault.register.path.exists()
    assert address_in(home).key_file.exists()


def _types(ledger: Ledger) -> Callable[..., list[str]]:
    return lambda connection: [
        each.type
        for each in log_store.read_page(connection, ledger.scope.ledger, after=-1, limit=100)
    ]
