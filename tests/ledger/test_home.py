"""A ledger that was not made to its end says so."""

from pathlib import Path
from typing import Literal

import pytest

from ledger.database import Server, SqliteDatabase
from ledger.errors import MigrationNeededError
from ledger.home import initialise
from ledger.ledger import Ledger
from ledger.schema.migrate import upgrade
from ledger.testing import address_in
from ledger.vault.key_file_store import make_key_file
from ledger.vault.sealed import KEY_BYTES


async def migrate(path: Path | Server, which: Literal["main", "vault"]) -> None:
    assert isinstance(path, Path)
    database = SqliteDatabase(path, durability="normal")
    await database.run(lambda connection: upgrade(connection, which))
    await database.close()


async def test_a_ledger_whose_making_was_killed_is_finished_by_making_it_again(
    tmp_path: Path,
) -> None:
    address = address_in(tmp_path)
    make_key_file(address.key_file, bytes(KEY_BYTES))
    await migrate(address.vault_place, "vault")
    await migrate(address.place, "main")

    with pytest.raises(MigrationNeededError, match="init"):
        await Ledger.open(address)
    is_new = await initialise(address)

    assert is_new
    await (await Ledger.open(address)).close()
