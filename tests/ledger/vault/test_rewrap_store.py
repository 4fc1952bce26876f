"""An erasure is remembered by nobody, and files follow only what is durable."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import Connection, text

from ledger.clock import ManualClock, SystemEntropy
from ledger.database import PostgresqlDatabase, Server, SqliteDatabase
from ledger.testing import address_in
from ledger.vault.secret_store import commit_through
from ledger.vault.vault_store import Vault
from tests.ledger.vault.vaults import (
    LEDGER,
    Place,
    fill,
)

pytestmark = pytest.mark.one_database("what differs between the kinds is what is tried")

T = TypeVar("T")
SHOW = text("SHOW synchronous_commit")


class Waiting(SqliteDatabase):
    """A database whose next read comes back only when it is let, and that sees when it is cut."""

    def __init__(self, place: Place) -> None:
        super().__init__(place.folder / "ledger.vault.db", durability="normal")
        self.has_read, self.may_go_on = asyncio.Event(), asyncio.Event()
        self.is_waiting = False
        self.at_flush: list[set[str]] = []
        self._place = place

    async def read(self, function: Callable[[Connection], T]) -> T:
        found = await super().read(function)
        if self.is_waiting:
            self.is_waiting = False
            self.has_read.set()
            await self.may_go_on.wait()
        return found

    async def make_durable(self) -> None:
        self.at_flush.append(self._place.names)
        await super().make_durable()


async def open_waiting(place: Place) -> tuple[Waiting, Vault]:
    await place.make()
    database, entropy = Waiting(place), SystemEntropy()
    cabinet = place.cabinet(entropy)
    return database, await Vault.unlocked(
        database, ledger=LEDGER, cabinet=cabinet, clock=ManualClock(), entropy=entropy
    )


async def test_a_key_read_before_an_erasure_is_not_remembered_after_it(tmp_path: Path) -> None:
    database, vault = await open_waiting(Place(tmp_path))
    await fill(vault)
    vault.forget_all()
    database.is_waiting = True
    reading = asyncio.create_task(vault.existing_keys(["student:S-1"]))
    await database.has_read.wait()
    await vault.erase_person("student:S-1")
    database.may_go_on.set()
    before, after = await reading, await vault.existing_keys(["student:S-1"])
    await vault.close()

    assert before.keys() == {"student:S-1"}
    assert after == {}


@pytest.mark.parametrize("has_generations", [False, True])
async def test_files_follow_a_commit_only_once_it_is_durable(
    tmp_path: Path, *, has_generations: bool
) -> None:
    database, vault = await open_waiting(Place(tmp_path, has_generations=has_generations))
    await fill(vault)
    await vault.rotate()
    await vault.close()

    assert [max(names) for names in database.at_flush] == ["ledger.key.next"]


async def test_what_files_rely_on_is_committed_through(served: Place) -> None:
    def look(connection: Connection) -> list[str]:
        commits = [connection.execute(SHOW).scalar_one()]
        commit_through(connection)
        return [*commits, connection.execute(SHOW).scalar_one()]

    vault = address_in(served.folder).vault_place
    assert isinstance(vault, Server)
    hasty, ours = PostgresqlDatabase(vault, durability="normal"), served.database()
    found = [await database.run(look) for database in (hasty, ours)]
    await hasty.close()
    await ours.close()

    assert found == [["off", "on"], ["on", "on"]]
