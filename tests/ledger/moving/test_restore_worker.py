"""A place that a restore cleared is closed to everybody until a restore has filled it."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.clock import ManualClock, SeededEntropy
from ledger.errors import IntegrityError, LedgerBusyError, MigrationNeededError, StorageError
from ledger.home import Address, initialise
from ledger.moving.backup_worker import backup
from ledger.moving.manifest import MAIN
from ledger.moving.restore_worker import STAMP, restore
from ledger.testing import SERVED, address_in
from tests.architecture.source import ROOT
from tests.ledger.moving.holdings import furnish, holdings, open_at
from tests.postgresql import Cluster

REFUSED = """
import asyncio, errno, sys
from pathlib import Path
from ledger.clock import ManualClock, SystemEntropy
from ledger.moving.restore_worker import restore
from ledger.testing import address_in

def refuse(event, arguments):
    if event == "os.rename" and str(arguments[1]) == sys.argv[2]:
        raise OSError(errno.EIO, "the disk failed")

home = Path(sys.argv[1])
sys.addaudithook(refuse)
parts = {"replaces": True, "clock": ManualClock(), "entropy": SystemEntropy()}
asyncio.run(restore(home / "backup", address_in(home), **parts))
"""


async def backed_up(home: Path) -> Address:
    """Make a ledger with something of everything, and a backup beside it."""
    await furnish(home)
    address = address_in(home)
    async with await open_at(address) as ledger:
        clock, entropy = ManualClock(), SeededEntropy(3)
        folder = home / "backup"
        await backup(ledger, address, folder, clock=clock, entropy=entropy, sign=lambda _: "signed")
    return address


async def restored(home: Path, address: Address, clock: ManualClock) -> tuple[str, ...]:
    folder, entropy = home / "backup", SeededEntropy(3)
    done = await restore(folder, address, replaces=True, clock=clock, entropy=entropy)
    return done.kept


def later() -> ManualClock:
    clock = ManualClock()
    clock.advance(3600)
    return clock


def restored_refusing(home: Path, to: Path) -> str:
    """Restore while the disk refuses one name; returns what was said of it."""
    words = [sys.executable, "-c", REFUSED, str(home), str(to)]
    ended = subprocess.run(words, cwd=ROOT, check=False, capture_output=True)
    return ended.stderr.decode()


@pytest.mark.one_database("files are moved one by one; schemas are renamed at once")
@pytest.mark.parametrize("refused", ["ledger.db", "ledger.vault.db"])
async def test_a_restore_that_the_disk_stops_leaves_no_place_that_looks_empty(
    tmp_path: Path, refused: str
) -> None:
    address = await backed_up(tmp_path)
    before = await holdings(address)
    said = await asyncio.to_thread(restored_refusing, tmp_path, tmp_path / refused)
    copied = tmp_path / "backup" / MAIN
    whole = copied.read_bytes()
    copied.write_bytes(b"damaged")
    with pytest.raises(IntegrityError, match="take another backup"):
        await restored(tmp_path, address, ManualClock())

    assert "the disk failed" in said
    with pytest.raises(MigrationNeededError, match="cut short"):
        await initialise(address)
    copied.write_bytes(whole)
    await restored(tmp_path, address, later())
    assert not address.staging.exists()
    assert await holdings(address) == before


async def test_of_two_restores_at_once_the_second_is_refused(home: Path) -> None:
    address = await backed_up(home)
    before = await holdings(address)

    first, second = await asyncio.gather(
        restored(home, address, later()),
        restored(home, address, later()),
        return_exceptions=True,
    )

    assert not isinstance(first, BaseException), first
    assert isinstance(second, LedgerBusyError)
    assert "another restore is under way" in str(second)
    assert await holdings(address) == before
    assert not address.staging.exists()


@pytest.mark.one_database("only files have a log beside them")
async def test_what_an_earlier_restore_kept_is_not_mixed_with_what_is_there_now(
    tmp_path: Path,
) -> None:
    address = await backed_up(tmp_path)
    await restored(tmp_path, address, ManualClock())
    earlier = tmp_path / f"ledger.replaced-{ManualClock().now().strftime(STAMP)}.db"
    log = earlier.with_name(f"{earlier.name}-wal")
    log.write_bytes(b"of the ledger that is kept")
    (tmp_path / "ledger.db").rename(tmp_path / "lost")
    (tmp_path / "ledger.db-wal").write_bytes(b"of the ledger that is lost")

    kept = await restored(tmp_path, address, later())

    assert log.read_bytes() == b"of the ledger that is kept"
    stamp = later().now().strftime(STAMP)
    assert kept == (str(tmp_path / f"ledger.vault.replaced-{stamp}.db"),)


@pytest.fixture
def served(cluster: Cluster, tmp_path: Path) -> Iterator[Path]:
    """Give a folder whose ledger is on a server."""
    with cluster.lent() as address:
        (tmp_path / SERVED).write_text(address.render_as_string(hide_password=False))
        yield tmp_path


@pytest.mark.one_database("hosts that share a file share the folder beside it")
async def test_another_host_never_takes_a_schema_that_was_cleared_for_an_empty_one(
    served: Path,
) -> None:
    home = served
    address = await backed_up(home)
    before = await holdings(address)
    host = home / "host"
    host.mkdir()
    for name in (SERVED, "ledger.key", "ledger.key.generation"):
        shutil.copy(home / name, host)
    stamp = ManualClock().now().strftime(STAMP)
    in_the_way = home / f"ledger.key.generation.{stamp}"
    in_the_way.mkdir()
    with pytest.raises(StorageError, match="directory"):
        await restored(home, address, ManualClock())

    with pytest.raises(MigrationNeededError, match="not whole"):
        await initialise(address_in(host))
    in_the_way.rmdir()
    kept = await restored(home, address, ManualClock())
    assert kept == (str(in_the_way),)
    assert await holdings(address) == before
