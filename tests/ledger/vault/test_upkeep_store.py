"""Whenever an erasure, a rotation or the making of a vault dies, the next open goes on."""

import asyncio
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from ledger.errors import MasterKeyError
from ledger.vault.generation_store import read_generations
from ledger.vault.key_file_store import read_key_file
from ledger.vault.secret_store import load_secrets
from tests.ledger.vault.kills import Work, run_to
from tests.ledger.vault.vaults import LEDGER, Place, document_owner, fill, stored_documents

pytestmark = pytest.mark.one_database("a kill in a fork needs a database that lives in files")

STEPS_MAX = 400
VICTIM = "student:S-1"
CLEAN = {False: {"ledger.key"}, True: {"ledger.key", "ledger.key.generation"}}


def killed(tmp_path: Path, place: Place, work: str) -> Iterator[Place]:
    """Give copies of a place, each left behind by work that was killed a step later."""
    for step in count():
        assert step < STEPS_MAX
        folder = tmp_path / f"{work}-{step}"
        shutil.copytree(place.folder, folder)
        copy = Place(folder, has_generations=place.has_generations)
        is_finished = run_to(step, WORKS[work](copy))
        yield copy
        if is_finished:
            # Fewer would mean that the steps are not seen.
            assert step > 5
            return


def erasing(place: Place) -> Work:
    async def work() -> None:
        async with place.opened() as vault:
            await vault.erase_person(VICTIM)

    return work


def rotating(place: Place) -> Work:
    async def work() -> None:
        async with place.opened() as vault:
            await vault.rotate()

    return work


def making(place: Place) -> Work:
    return place.make


WORKS = {"erase": erasing, "rotate": rotating, "make": making}


@pytest.fixture(params=[False, True], ids=["derived", "generations"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Give a folder for a vault whose wrapping is derived, or kept in a generation file."""
    folder = tmp_path / "begin"
    folder.mkdir()
    return Place(folder, has_generations=request.param)


async def begun(place: Place) -> dict[str, bytes]:
    await place.make()
    async with place.opened() as vault:
        return await fill(vault)


def test_an_erasure_killed_at_any_step_is_done_or_undone_and_can_be_finished(
    tmp_path: Path, place: Place
) -> None:
    keys = asyncio.run(begun(place))
    others = {person: key for person, key in keys.items() if person not in {VICTIM, DOCUMENT_KEY}}
    for copy in killed(tmp_path, place, "erase"):
        asyncio.run(check_erasure(copy, keys, others))


DOCUMENT_KEY = document_owner(b"d" * 32)


async def check_erasure(copy: Place, keys: dict[str, bytes], others: dict[str, bytes]) -> None:
    async with copy.opened() as vault:
        found = await vault.existing_keys(keys)
        documents = await vault.database.read(stored_documents)
        assert found in (keys, others)
        assert len(documents[0]) == len(documents[1]) == (2 if found == keys else 1)
        assert copy.names - {"ledger.key.generation.new"} == CLEAN[copy.has_generations]

        await vault.erase_person(VICTIM)
        assert await vault.existing_keys(keys) == others
        assert await vault.keys([VICTIM]) == {}
    assert copy.names == CLEAN[copy.has_generations]
    if copy.has_generations:
        await check_only_one_generation(copy)


async def check_only_one_generation(copy: Place) -> None:
    database = copy.database()
    stored = await database.read(lambda connection: load_secrets(connection, LEDGER))
    await database.close()
    master = read_key_file(copy.key_file)
    held = read_generations(copy.generation_file, [master], vault=stored["vault"])
    assert [each.name for each in held.wrappings] == [stored["wrapping"]]


def test_a_rotation_killed_at_any_step_leaves_one_key_file_that_opens_everything(
    tmp_path: Path, place: Place
) -> None:
    keys = asyncio.run(begun(place))
    before = place.key_file.read_bytes()
    for copy in killed(tmp_path, place, "rotate"):
        asyncio.run(check_rotation(copy, keys, before))


async def check_rotation(copy: Place, keys: dict[str, bytes], before: bytes) -> None:
    async with copy.opened() as vault:
        assert await vault.existing_keys(keys) == keys
    leftovers = {"ledger.key.next.new", "ledger.key.generation.new"}
    assert copy.names - leftovers == CLEAN[copy.has_generations]
    async with copy.opened() as vault:
        await vault.rotate()
        made = await vault.keys(["student:S-9"])
    async with copy.opened() as vault:
        assert await vault.existing_keys([*keys, "student:S-9"]) == keys | made
    copy.key_file.write_bytes(before)
    with pytest.raises(MasterKeyError):
        async with copy.opened():
            pass


def test_a_vault_whose_making_is_killed_at_any_step_is_made_by_making_it_again(
    tmp_path: Path, place: Place
) -> None:
    asyncio.run(place.migrate())
    for copy in killed(tmp_path, place, "make"):
        asyncio.run(check_making(copy))


async def check_making(copy: Place) -> None:
    await copy.make()
    async with copy.opened() as vault:
        keys = await fill(vault)
        fingerprint = vault.fingerprint
    await copy.make()
    async with copy.opened() as vault:
        assert await vault.existing_keys(keys) == keys
        assert vault.fingerprint == fingerprint
    assert copy.names == CLEAN[copy.has_generations]
