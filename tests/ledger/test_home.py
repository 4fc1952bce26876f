"""A ledger is made once, whole, whoever makes it and whatever happens meanwhile."""

import asyncio
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, text

from ledger.database import Server, SqliteDatabase
from ledger.errors import MasterKeyError, MigrationNeededError
from ledger.home import Address, close_all, initialise
from ledger.ledger import Ledger
from ledger.schema.migrate import upgrade
from ledger.schema.revisions import Line
from ledger.schema.vault_tables import secrets
from ledger.testing import address_in, ledger_in
from ledger.vault.key_file_store import KEY_FILE, make_key_file
from ledger.vault.key_source import KeySource
from ledger.vault.sealed import KEY_BYTES, MasterKey
from tests.ledger.vault.kills import run_to

STEPS_MAX = 100


async def migrate(path: Path | Server, which: Line) -> None:
    assert isinstance(path, Path)
    database = SqliteDatabase(path, durability="normal")
    await database.run(lambda connection: upgrade(connection, which))
    await database.close()


@pytest.mark.one_database("it begins with files that are half made")
async def test_a_ledger_whose_making_was_killed_is_finished_by_making_it_again(
    tmp_path: Path,
) -> None:
    address = address_in(tmp_path)
    make_key_file(address.key_file, bytes(KEY_BYTES))
    await migrate(address.vault_place, "vault")
    await migrate(address.place, "main")

    with pytest.raises(MigrationNeededError, match="init"):
        await Ledger.open(address)
    made = await initialise(address)

    assert made.is_new
    await (await Ledger.open(address)).close()


async def test_a_place_that_a_restore_cleared_is_not_taken_for_an_empty_one(home: Path) -> None:
    address = address_in(home)
    address.staging.mkdir()

    with pytest.raises(MigrationNeededError, match="same `dokstamp-ledger restore` once more"):
        await Ledger.open(address)
    with pytest.raises(MigrationNeededError, match="cut short"):
        await initialise(address)


async def test_a_restore_that_changed_nothing_yet_keeps_nobody_out(home: Path) -> None:
    address = address_in(home)
    await initialise(address)
    address.staging.mkdir()

    assert not (await initialise(address)).is_new
    await (await Ledger.open(address)).close()


@pytest.mark.one_database("a server's generation file says whose it is")
async def test_a_second_ledger_in_a_folder_asks_for_a_key_file_of_its_own(tmp_path: Path) -> None:
    for name in ("first.db", "first"):
        folder = tmp_path / f"beside {name}"
        folder.mkdir()
        first = Address(folder / name, folder / KEY_FILE)
        second = replace(first, place=folder / "second.db")
        await initialise(first)

        with pytest.raises(MasterKeyError, match=rf"of the ledger .*{name}: .*LEDGER_KEY_FILE"):
            await initialise(second)
        assert not (folder / "second.db").exists()
        assert (await initialise(replace(second, key_file=folder / "second.key"))).is_new
        assert not (await initialise(first)).is_new


@pytest.mark.one_database("a server's generation file says whose it is")
async def test_a_key_file_that_was_chosen_or_half_made_beside_another_ledger_is_taken(
    tmp_path: Path,
) -> None:
    await initialise(Address(tmp_path / "first.db", tmp_path / "first.key"))
    chosen = Address(tmp_path / "second.db", tmp_path / "second.key")
    make_key_file(chosen.key_file, bytes(KEY_BYTES))
    half_made = Address(tmp_path / "third.db", tmp_path / KEY_FILE)
    await migrate(half_made.vault_place, "vault")
    make_key_file(half_made.key_file, bytes(KEY_BYTES))

    assert (await initialise(chosen)).is_new
    assert (await initialise(half_made)).is_new


async def test_keys_are_durable_whatever_the_ledger_risks(home: Path) -> None:
    def durability(connection: Connection) -> object:
        is_file = connection.dialect.name == "sqlite"
        asked = "PRAGMA synchronous" if is_file else "SHOW synchronous_commit"
        return connection.exec_driver_sql(asked).scalar_one()

    vault = replace(address_in(home), durability="normal").vault()
    found = await vault.run(durability)
    await vault.close()

    assert found in {2, "on"}


async def test_hosts_that_make_a_ledger_at_once_make_one(home: Path) -> None:
    address = address_in(home)

    made = await asyncio.gather(*(initialise(address) for _ in range(4)))

    assert sorted(each.is_new for each in made) == [False, False, False, True]
    async with await Ledger.open(address) as ours, await Ledger.open(address) as theirs:
        keys = await ours.vault.keys(["student:S-1"])
        assert await theirs.vault.existing_keys(["student:S-1"]) == keys
        assert ours.ledger_id == theirs.ledger_id


async def test_a_ledger_from_before_there_were_secrets_is_told_so(home: Path) -> None:
    address = address_in(home)
    await initialise(address)
    vault = address.vault()
    await vault.run(lambda connection: connection.execute(delete(secrets)))
    await vault.close()

    made = await initialise(address)

    assert not made.is_new
    with pytest.raises(MasterKeyError, match="made anew"):
        await Ledger.open(address)


async def test_a_lost_key_file_is_not_replaced(home: Path) -> None:
    address = address_in(home)
    await initialise(address)
    address.key_file.unlink()

    with pytest.raises(MasterKeyError, match="restore the key file from its backup"):
        await initialise(address)
    with pytest.raises(MasterKeyError, match="restore it from its backup"):
        await Ledger.open(address)
    assert not address.key_file.exists()


async def test_a_given_key_makes_no_key_file(home: Path) -> None:
    source = KeySource(MasterKey(bytes(KEY_BYTES)))
    address = replace(address_in(home), key_source=source)
    await initialise(address)

    async with await Ledger.open(address) as ledger:
        assert len(ledger.vault.signing_seed()) == KEY_BYTES
    assert not address.key_file.exists()


@pytest.mark.one_database("it begins with files that are half made")
def test_a_ledger_whose_making_is_killed_at_any_step_is_finished_by_making_it_again(
    tmp_path: Path,
) -> None:
    begin = tmp_path / "begin"
    begin.mkdir()
    asyncio.run(migrate(begin / "ledger.db", "main"))
    asyncio.run(migrate(begin / "ledger.vault.db", "vault"))
    for step in range(STEPS_MAX):
        folder = tmp_path / str(step)
        shutil.copytree(begin, folder)
        is_finished = run_to(step, partial(initialise, address_in(folder)))
        asyncio.run(make_and_use(folder))
        if is_finished:
            assert step > 8
            return
    pytest.fail("making a ledger has more steps than there can be")


async def make_and_use(folder: Path) -> None:
    async with ledger_in(folder) as ledger:
        keys = await ledger.vault.keys(["student:S-1"])
    async with ledger_in(folder) as ledger:
        assert await ledger.vault.existing_keys(["student:S-1"]) == keys


@pytest.mark.parametrize("home", ["postgresql"], indirect=True)
async def test_a_vault_waits_longer_for_another_host_than_a_log_does(home: Path) -> None:
    def patience(connection: Connection) -> str:
        return str(connection.execute(text("SHOW lock_timeout")).scalar_one())

    main, vault = address_in(home).main(), address_in(home).vault()
    found = [await database.read(patience) for database in (main, vault)]
    await close_all(main, vault)

    assert found == ["30s", "10min"]
