"""Backups of a ledger at work, and what comes out of them; nothing half is ever taken for whole."""

import asyncio
import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ledger.errors import (
    IntegrityError,
    LedgerBelongsElsewhereError,
    LedgerBusyError,
    MasterKeyError,
    StorageError,
)
from ledger.moving.manifest import FILES, NAME
from ledger.reference import SourceRef
from ledger.testing import ledger_in
from ledger.vault.key_file_store import write_key_file
from ledger.vault.sealed import MasterKey
from sync.runtime.assembly import dispatching_alone
from sync.runtime.moving import backup, restore
from sync.runtime.settings import Settings
from tests.architecture.source import ROOT
from tests.places import settings_in
from tests.sync.runtime.desk import INSTITUTION, Desk, desk_in

FILE_BYTES_MAX = 64 * 1024


def settings_of(folder: Path) -> Settings:
    given: dict[str, Any] = {**settings_in(folder), "durability": "normal"}
    return Settings.load(environment={}, **given)


async def backed_up(home: Path) -> Path:
    """Make a small ledger and return a backup of it."""
    async with desk_in(home) as desk:
        await desk.university()
        await desk.settle(INSTITUTION, "done", target="uuid-1", after="live")
        await desk.ledger.documents.add(b"%PDF diploma", now=desk.ledger.clock.now())
        await backup(desk.ledger, settings_of(home), home / "backup")
    return home / "backup"


async def story(home: Path) -> tuple[str, list[object], bool]:
    async with ledger_in(home) as ledger:
        events = await ledger.events_at(range((await ledger.head()).size))
        document = await ledger.documents.add(b"%PDF diploma", now=ledger.clock.now())
        return (
            (await ledger.head()).root().hex(),
            [event.private for event in events.values()],
            await ledger.documents.has(document),
        )


async def test_a_backup_brings_back_what_was_there_when_it_was_taken(home: Path) -> None:
    folder = await backed_up(home)
    before = await story(home)
    async with desk_in(home) as desk:
        desk.events = 100
        await desk.tell(
            "course.upserted", SourceRef("course", "C-9"), institution_id="I-1", name="N"
        )

    restored = await restore(settings_of(home), folder, replaces=True)

    assert await story(home) == before
    assert restored.kept
    manifest = json.loads((folder / NAME).read_text())
    assert (manifest["root"], manifest["checkpoint"].split("\n")[0]) == (
        before[0],
        f"dokstamp-ledger/{manifest['ledger']}",
    )


async def test_only_its_owner_may_read_a_backup(home: Path) -> None:
    folder = await backed_up(home)

    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()}

    assert modes == dict.fromkeys([*FILES, NAME], 0o600)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


async def test_a_backup_taken_while_events_come_in_is_whole(home: Path) -> None:
    async with desk_in(home) as desk:
        await desk.university()
        adding = asyncio.create_task(_go_on(desk))
        await backup(desk.ledger, settings_of(home), home / "backup")
        adding.cancel()
        await asyncio.wait([adding])

    restored = await restore(settings_of(home), home / "backup", replaces=True)

    async with ledger_in(home) as ledger:
        assert (await ledger.head()).size == restored.manifest.size


async def _go_on(desk: Desk) -> None:
    for number in range(1000):
        student = SourceRef("student", f"S-{number}")
        data = {"email": f"s{number}@example.edu", "date_of_birth": "2002-08-28"}
        await desk.tell("student.upserted", student, name="Ana Lima", **data)


async def test_a_folder_that_holds_something_is_not_written_to(home: Path) -> None:
    folder = await backed_up(home)

    async with desk_in(home) as desk:
        with pytest.raises(LedgerBelongsElsewhereError, match="holds something"):
            await backup(desk.ledger, settings_of(home), folder)


async def test_a_ledger_that_is_there_is_not_written_over(home: Path) -> None:
    folder = await backed_up(home)
    before = await story(home)

    with pytest.raises(LedgerBelongsElsewhereError, match="--replace"):
        await restore(settings_of(home), folder)

    assert await story(home) == before


async def test_a_ledger_that_a_host_works_on_is_not_replaced(home: Path) -> None:
    folder = await backed_up(home)
    async with (
        ledger_in(home) as ledger,
        dispatching_alone(ledger),
        ledger.database.together("sync"),
    ):
        with pytest.raises(LedgerBusyError, match="another `sync`"):
            await restore(settings_of(home), folder, replaces=True)

        assert (await ledger.head()).size > 0


@pytest.mark.parametrize("name", FILES)
async def test_a_backup_with_one_byte_changed_is_refused(home: Path, name: str) -> None:
    folder = await backed_up(home)
    before = await story(home)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)

    with pytest.raises(IntegrityError, match=name):
        await restore(settings_of(home), folder, replaces=True)

    assert await story(home) == before


async def test_a_folder_without_a_manifest_is_no_backup(home: Path) -> None:
    folder = await backed_up(home)
    (folder / NAME).unlink()

    with pytest.raises(StorageError, match="no whole backup"):
        await restore(settings_of(home), folder, replaces=True)


async def test_a_backup_does_not_open_with_another_key(home: Path) -> None:
    folder = await backed_up(home)
    elsewhere = home / "elsewhere"
    elsewhere.mkdir()
    write_key_file(elsewhere / "ledger.key", MasterKey(b"w" * 32))

    with pytest.raises(MasterKeyError):
        await restore(settings_of(elsewhere), folder)

    # The lock that kept other restores away stays behind: to remove it would let two go on.
    left = {each.name for each in elsewhere.iterdir()}
    assert left == {"ledger.key", "ledger.db-restore.lock"}


@pytest.mark.parametrize("verb", [("backup", "made"), ("copy", "--to", "made.db")])
async def test_a_full_disk_leaves_nothing_that_looks_whole(
    home: Path, verb: tuple[str, ...]
) -> None:
    await backed_up(home)
    before = await story(home)
    given = {f"DOKSTAMP_{name.upper()}": value for name, value in settings_in(home).items()}
    words = (
        f"ulimit -f {FILE_BYTES_MAX // 1024}; exec {sys.executable} -m sync.cli {' '.join(verb)}"
    )

    ended = await asyncio.to_thread(
        subprocess.run,
        ["bash", "-c", words],
        cwd=home,
        env={**given, "PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=False,
    )

    assert ended.returncode == 74, ended.stderr
    assert f"the {verb[0]}" in ended.stderr.decode()
    assert "could not be written" in ended.stderr.decode()
    assert not (home / "made").exists()
    assert not (home / "made.unfinished").exists()
    assert await story(home) == before
