"""A ledger copied from any place to any other is the same ledger, or none at all."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.clock import ManualClock, SeededEntropy
from ledger.database import Server
from ledger.errors import (
    LedgerBelongsElsewhereError,
    LedgerBusyError,
    MasterKeyError,
    MigrationNeededError,
)
from ledger.home import Address
from ledger.moving.copy_worker import Announce, Copied, copy
from ledger.testing import SERVED, address_in
from ledger.vault.key_file_store import make_key_file
from ledger.vault.register_store import Register
from tests.architecture.source import ROOT
from tests.conftest import DATABASES
from tests.ledger.moving.holdings import furnish, holdings, open_at
from tests.postgresql import Cluster

pytestmark = pytest.mark.one_database("the targets are of both kinds")
KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from ledger.clock import SystemClock, SystemEntropy
from ledger.moving.copy_worker import copy
from ledger.testing import address_in

def die(done, total):
    os.kill(os.getpid(), signal.SIGKILL)

here, there = address_in(Path(sys.argv[1])), address_in(Path(sys.argv[2]))
asyncio.run(copy(here, there, clock=SystemClock(), entropy=SystemEntropy(), announce=die))
"""


class StoppedError(Exception):
    """Ends a copy in the middle."""


def stop(_done: int, _total: int) -> None:
    raise StoppedError


@pytest.fixture(params=DATABASES)
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Address]:
    """Give an empty place in a file, or on a server, with a key file of its own."""
    folder = tmp_path / "target"
    folder.mkdir()
    if request.param == "sqlite":
        yield address_in(folder)
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    with cluster.lent() as address:
        place = Server(address, "another_place")
        url = address.update_query_dict({"schema": place.schema})
        (folder / SERVED).write_text(url.render_as_string(hide_password=False))
        yield address_in(folder)


async def copied(source: Address, target: Address, announce: Announce | None = None) -> Copied:
    return await copy(
        source,
        target,
        clock=ManualClock(),
        entropy=SeededEntropy(3),
        announce=announce or (lambda _done, _total: None),
    )


async def test_a_copy_holds_the_same_and_answers_alike(home: Path, target: Address) -> None:
    await furnish(home)
    source = address_in(home)

    made = await copied(source, target)

    expected, found = await holdings(source), await holdings(target)
    assert made.root == expected.root
    assert found == expected


async def test_a_place_that_holds_a_ledger_is_refused(tmp_path: Path, target: Address) -> None:
    await furnish(tmp_path)
    await copied(address_in(tmp_path), target)
    before = await holdings(target)

    with pytest.raises(LedgerBelongsElsewhereError, match="holds a ledger already"):
        await copied(address_in(tmp_path), target)

    assert await holdings(target) == before


async def test_half_a_copy_is_refused_and_begun_again(tmp_path: Path, target: Address) -> None:
    await furnish(tmp_path)
    with pytest.raises(StoppedError):
        await copied(address_in(tmp_path), target, announce=stop)

    with pytest.raises(MigrationNeededError, match="not whole"):
        await open_at(target)
    await copied(address_in(tmp_path), target)

    assert await holdings(target) == await holdings(address_in(tmp_path))


async def test_a_copy_killed_in_the_middle_is_begun_again(tmp_path: Path, target: Address) -> None:
    await furnish(tmp_path)
    words = [sys.executable, "-c", KILLED, str(tmp_path), str(target.key_file.parent)]
    ended = subprocess.run(words, cwd=ROOT, check=False, capture_output=True)  # noqa: ASYNC221

    assert ended.returncode == -signal.SIGKILL, ended.stderr
    with pytest.raises(MigrationNeededError, match="not whole"):
        await open_at(target)
    await copied(address_in(tmp_path), target)
    assert await holdings(target) == await holdings(address_in(tmp_path))


async def test_the_copy_of_another_ledger_does_not_go_on_with_half_of_one(
    tmp_path: Path, target: Address
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    await furnish(tmp_path)
    (tmp_path / "ledger.key").rename(tmp_path / "first.key")
    first = replace(address_in(tmp_path), key_file=tmp_path / "first.key")
    with pytest.raises(StoppedError):
        await copied(first, target, announce=stop)
    await furnish_anew(other)

    with pytest.raises(LedgerBelongsElsewhereError, match="another ledger"):
        await copied(address_in(other), target)


async def furnish_anew(folder: Path) -> None:
    from ledger.home import initialise  # noqa: PLC0415 - a ledger with another id

    await initialise(address_in(folder), clock=ManualClock(), entropy=SeededEntropy(99))


async def test_nothing_is_copied_while_a_process_works_on_the_ledger(
    tmp_path: Path, target: Address
) -> None:
    await furnish(tmp_path)

    async with await open_at(address_in(tmp_path)) as ledger, ledger.database.alone("sync"):
        with pytest.raises(LedgerBusyError):
            await copied(address_in(tmp_path), target)


async def test_a_wrong_key_file_copies_nothing(tmp_path: Path, target: Address) -> None:
    await furnish(tmp_path)
    wrong = replace(address_in(tmp_path), key_file=tmp_path / "wrong.key")
    make_key_file(wrong.key_file, b"w" * 32)

    with pytest.raises(MasterKeyError):
        await copied(wrong, target)

    main = target.main()
    is_there = await main.is_there()
    await main.close()
    assert not is_there


async def test_whom_the_ledger_has_erased_goes_along(tmp_path: Path, target: Address) -> None:
    await furnish(tmp_path)
    async with await open_at(address_in(tmp_path)) as ledger:
        register = Register.beside(tmp_path / "ledger.key")
        now = ledger.clock.now()
        register.add(ledger.ledger_id, "student:S-9", position=3, recorded_at=now)

        await copied(address_in(tmp_path), target)

        carried = Register.beside(target.key_file).entries(ledger.ledger_id)
        assert carried == register.entries(ledger.ledger_id)
