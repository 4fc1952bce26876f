"""What one host changes, and the others notice in time."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.util.concurrency import greenlet_spawn

from ledger.clock import SystemEntropy
from ledger.errors import MasterKeyError
from ledger.schema.vault_tables import secrets
from ledger.vault.cabinet_store import Cabinet
from ledger.vault.key_source import FROM_FILE
from ledger.vault.live_wrapping_store import LiveWrapping
from ledger.vault.secret_store import WRAPPING
from ledger.vault.vault_store import Vault
from ledger.vault.wrapping import Wrapping
from tests.ledger.vault.vaults import (
    PERSONS,
    Place,
    fill,
)

pytestmark = pytest.mark.one_database("`place` and `shared` bring both kinds")


async def now(vault: Vault, persons: list[str]) -> dict[str, bytes]:
    """Ask as a step of the ledger's does."""
    return await greenlet_spawn(vault.existing_keys_now, persons)


async def test_a_host_notices_that_another_one_erased(shared: Place) -> None:
    await shared.make()
    async with shared.opened() as ours, shared.opened() as theirs:
        keys = await fill(ours)
        await theirs.existing_keys(["student:S-2"])
        await ours.erase_person("student:S-1")
        theirs.forget_all()

        assert await theirs.existing_keys(PERSONS) == {
            person: keys[person] for person in PERSONS if person != "student:S-1"
        }


async def test_a_host_never_wraps_with_what_another_one_destroyed(place: Place) -> None:
    await place.make()
    async with place.opened() as ours, place.opened() as theirs:
        await fill(ours)
        await ours.erase_person("student:S-1")
        await ours.rotate()
        made = await theirs.keys(["student:S-9"])
        await ours.erase_person("student:S-2")
        more = await theirs.keys(["student:S-10"])
    async with place.opened() as later:
        assert await later.existing_keys(["student:S-9", "student:S-10"]) == made | more


async def test_a_host_can_erase_and_rotate_after_another_one_rotated(place: Place) -> None:
    await place.make()
    async with place.opened() as ours, place.opened() as theirs:
        keys = await fill(ours)
        await theirs.existing_keys(["student:S-2"])
        await ours.rotate()
        await theirs.erase_person("student:S-1")
        await ours.rotate()
        await theirs.rotate()
    async with place.opened() as later:
        found = await later.existing_keys(PERSONS)

    assert found == {person: keys[person] for person in PERSONS if person != "student:S-1"}


async def test_a_step_that_cannot_wait_notices_a_change_as_well(place: Place) -> None:
    await place.make()
    async with place.opened() as ours, place.opened() as theirs:
        keys = await fill(ours)
        await ours.rotate()
        await ours.erase_person("student:S-1")
        found = await now(theirs, ["student:S-2"])

        assert found == {"student:S-2": keys["student:S-2"]}


async def test_hosts_that_make_a_vault_at_once_agree_on_its_secrets(shared: Place) -> None:
    await shared.migrate()
    shared.cabinet(SystemEntropy()).make_key_file()
    await asyncio.gather(*(shared.make() for _ in range(4)))
    async with shared.opened() as ours, shared.opened() as theirs:
        keys = await ours.keys(PERSONS)

        assert ours.fingerprint == theirs.fingerprint
        assert await theirs.existing_keys(PERSONS) == keys
    assert shared.names == {"ledger.key", "ledger.key.generation"}


async def test_keys_made_while_another_host_erases_are_never_lost(shared: Place) -> None:
    await shared.make()
    async with shared.opened() as ours, shared.opened() as theirs:
        await fill(ours)

        async def erase() -> None:
            for person in ("student:S-1", "student:S-2", "student:S-3"):
                await ours.erase_person(person)

        async def make() -> dict[str, bytes]:
            made: dict[str, bytes] = {}
            for number in range(30):
                made |= await theirs.keys([f"student:N-{number}"])
            return made

        made, _ = await asyncio.gather(make(), erase())
    async with shared.opened() as later:
        assert await later.existing_keys(made) == made
        assert (await later.existing_keys(PERSONS)).keys() == {""}


async def test_a_host_with_a_copy_of_the_file_is_told_what_to_copy(shared: Place) -> None:
    await shared.make()
    async with shared.opened() as ours, shared.opened() as theirs:
        keys = await fill(ours)
        kept = shared.generation_file.read_bytes()
        await ours.erase_person("student:S-1")
        fresh = shared.generation_file.read_bytes()
        shared.generation_file.write_bytes(kept)

        with pytest.raises(MasterKeyError, match="copy the file from the host that erased last"):
            await theirs.existing_keys(["student:S-2"])
        with pytest.raises(MasterKeyError, match="copy the file from the host that erased last"):
            await theirs.keys(["student:S-9"])
        with pytest.raises(MasterKeyError, match="copy the file from the host that erased last"):
            await now(theirs, ["student:S-2"])
        shared.generation_file.write_bytes(fresh)
        assert await theirs.existing_keys(["student:S-2"]) == {"student:S-2": keys["student:S-2"]}


class Swapped(Wrapping):
    """A wrapping in whose place another thread puts another while it is looked at."""

    __slots__ = ()

    @property
    def name(self) -> bytes:
        live, other = SWAPS.pop() if SWAPS else (None, None)
        if live is not None:
            live._known = other
        return super().name


SWAPS: list[tuple[LiveWrapping, Wrapping]] = []


def test_the_wrapping_that_was_looked_at_is_the_one_that_is_given(tmp_path: Path) -> None:
    cabinet = Cabinet(tmp_path / "ledger.key", FROM_FILE, entropy=SystemEntropy())
    live = LiveWrapping(cabinet, 1, vault=b"vault")
    wanted = live._known = Swapped(1, bytes(32))
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        secrets.create(connection)
        row = {"ledger": 1, "name": WRAPPING, "wrapped": wanted.name}
        connection.execute(secrets.insert(), row)
        SWAPS.append((live, Wrapping(2, b"d" * 32)))

        given = live.seen_by(connection)

    engine.dispose()
    assert given is wanted
