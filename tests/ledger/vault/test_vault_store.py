"""Erasing and rotating, as one host does it and as the others see it."""

import asyncio
import base64
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.util.concurrency import greenlet_spawn

from ledger.clock import SeededEntropy, SystemEntropy
from ledger.errors import MasterKeyError
from ledger.testing import SERVED
from ledger.vault.generation_store import read_generations
from ledger.vault.key_file_store import read_key_file
from ledger.vault.key_source import KeySource
from ledger.vault.sealed import MasterKey
from ledger.vault.secret_store import load_secrets
from ledger.vault.vault_store import Vault
from ledger.vault.wrapping import Wrapping
from tests.ledger.vault.vaults import (
    DOCUMENT,
    LEDGER,
    OTHER_DOCUMENT,
    PERSONS,
    Place,
    document_owner,
    fill,
    stored_documents,
    wrapped,
)
from tests.postgresql import Cluster

OLD, NEW = MasterKey(b"o" * 32), MasterKey(b"n" * 32)
OTHERS = ["", "student:S-2", "student:S-3", document_owner(OTHER_DOCUMENT)]


KINDS = {"derived": ("sqlite", False), "file": ("sqlite", True), "server": ("postgresql", True)}


def place_of(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Place]:
    database, has_generations = KINDS[kind]
    place = Place(tmp_path, has_generations=has_generations)
    if database == "sqlite":
        yield place
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    with cluster.lent() as address:
        (tmp_path / SERVED).write_text(address.render_as_string(hide_password=False))
        yield place


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Give a folder for a vault whose wrapping is derived, or kept in a generation file."""
    yield from place_of(request.param, tmp_path, request)


@pytest.fixture(params=["file", "server"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Give a folder for a vault as it is kept where several hosts work."""
    yield from place_of(request.param, tmp_path, request)


async def test_an_erased_person_has_no_key_and_gets_none(place: Place) -> None:
    await place.make()
    async with place.opened() as vault:
        keys = await fill(vault)
        await vault.erase_person("student:S-1")

        assert await vault.existing_keys(["student:S-1"]) == {}
        assert await now(vault, ["student:S-1"]) == {}
        assert await vault.keys(["student:S-1"]) == {}
        assert await vault.keys(OTHERS) == {person: keys[person] for person in OTHERS}


async def test_documents_of_the_erased_person_go_with_their_keys(place: Place) -> None:
    await place.make()
    async with place.opened() as vault:
        await fill(vault)
        await vault.erase_person("student:S-1")

        found = await vault.database.read(stored_documents)
        assert found == ([OTHER_DOCUMENT], [OTHER_DOCUMENT])
        assert document_owner(DOCUMENT) not in await vault.database.read(wrapped)


async def test_further_names_and_documents_can_go_with_a_person(place: Place) -> None:
    await place.make()
    async with place.opened() as vault:
        await fill(vault)
        await vault.erase_person("student:S-1", also=["student:S-3"], documents=[OTHER_DOCUMENT])

        assert (await vault.existing_keys(PERSONS)).keys() == {"", "student:S-2"}
        assert await vault.database.read(stored_documents) == ([], [])


async def test_erasing_again_changes_nothing(place: Place) -> None:
    await place.make()
    async with place.opened() as vault:
        await fill(vault)
        await vault.erase_person("student:S-1")
        before = await vault.database.read(wrapped)
        await vault.erase_person("student:S-1")

        assert await vault.database.read(wrapped) == before


async def test_what_an_erasure_destroyed_is_opened_by_nothing_that_is_left(shared: Place) -> None:
    await shared.make()
    async with shared.opened() as vault:
        await fill(vault)
        dead_rows = await vault.database.read(wrapped)
        name = (await secrets_of(shared))["vault"]
        master = read_key_file(shared.key_file)
        before = read_generations(shared.generation_file, [master], vault=name)
        await vault.erase_person("student:S-1")

        after = read_generations(shared.generation_file, [master], vault=name)
        (old,), (live,) = before.wrappings, after.wrappings
        assert old.unwrap(dead_rows["student:S-1"], owner="student:S-1")
        assert (old.generation, live.generation) == (1, 2)
        assert live.key not in {old.key, *(each.wrapping for each in [master])}
        assert shared.names == {"ledger.key", "ledger.key.generation"}


async def test_secrets_outlive_an_erasure_and_a_rotation(place: Place) -> None:
    await place.make()
    async with place.opened() as vault:
        await fill(vault)
        before = (vault.fingerprint, vault.signing_seed(), vault.lookup_digest(b"x"))
        await vault.erase_person("student:S-1")
        await vault.rotate()
    async with place.opened() as vault:
        after = (vault.fingerprint, vault.signing_seed(), vault.lookup_digest(b"x"))

        assert after == before
        assert vault.lookup_digest(b"x") != vault.content_digest(b"x")
        assert len(vault.signing_seed()) == 32


async def test_everything_opens_after_a_rotation_and_the_old_key_file_opens_nothing(
    place: Place,
) -> None:
    await place.make()
    async with place.opened() as vault:
        keys = await fill(vault)
        old = place.key_file.read_bytes()
        count = await vault.rotate()
    async with place.opened() as vault:
        assert await vault.existing_keys(keys) == keys
        assert count == (0 if place.has_generations else len(keys))
        assert place.key_file.stat().st_mode & 0o777 == 0o600
        assert "ledger.key.next" not in place.names
    place.key_file.write_bytes(old)

    with pytest.raises(MasterKeyError, match="key"):
        async with place.opened():
            pass


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


async def test_a_step_that_cannot_wait_notices_a_change_as_well(place: Place) -> None:
    await place.make()
    async with place.opened() as ours, place.opened() as theirs:
        keys = await fill(ours)
        await ours.rotate()
        await ours.erase_person("student:S-1")
        found = await now(theirs, ["student:S-2"])

        assert found == {"student:S-2": keys["student:S-2"]}


async def now(vault: Vault, persons: list[str]) -> dict[str, bytes]:
    """Ask as a step of the ledger's does."""
    return await greenlet_spawn(vault.existing_keys_now, persons)


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


async def test_a_lost_generation_file_is_named(shared: Place) -> None:
    await shared.make()
    shared.generation_file.unlink()

    with pytest.raises(MasterKeyError, match=r"no generation file at .*ledger\.key\.generation"):
        async with shared.opened():
            pass


async def test_a_given_key_makes_no_file_and_is_followed_by_the_next(tmp_path: Path) -> None:
    old = Place(tmp_path, source=KeySource(OLD))
    both = replace(old, source=KeySource(OLD, NEW))
    new = replace(old, source=KeySource(NEW))
    await old.make()
    async with old.opened() as vault:
        keys = await fill(vault)
    async with old.opened() as vault:
        with pytest.raises(MasterKeyError, match="LEDGER_KEY_NEXT"):
            await vault.rotate()
    async with both.opened() as vault:
        await vault.rotate()
        vault.forget_all()

        assert await vault.existing_keys(keys) == keys
    for place in (both, new):
        async with place.opened() as vault:
            assert await vault.existing_keys(keys) == keys
    assert old.names == set()
    with pytest.raises(MasterKeyError, match="set LEDGER_KEY to the right one"):
        async with old.opened():
            pass


@pytest.mark.parametrize("is_slow", [False, True])
async def test_a_host_hands_its_key_over_and_is_asked_again_after_a_rotation(
    tmp_path: Path, *, is_slow: bool
) -> None:
    held = [OLD.secret]

    async def slow() -> bytes:
        return held[-1]

    place = Place(tmp_path, source=KeySource(ask=slow if is_slow else lambda: held[-1]))
    await place.make()
    async with place.opened() as ours, place.opened() as theirs:
        keys = await fill(ours)
        await ours.rotate(NEW.secret)
        made = await ours.keys(["student:S-8"])
        held.append(NEW.secret)

        assert await theirs.existing_keys([*keys, "student:S-8"]) == keys | made
    assert place.names == set()


async def test_a_key_file_beside_another_given_key_is_refused(tmp_path: Path) -> None:
    in_file = Place(tmp_path)
    await in_file.make()
    same = KeySource(read_key_file(in_file.key_file))

    async with replace(in_file, source=same).opened():
        pass
    with pytest.raises(MasterKeyError, match="use one of the two"):
        async with replace(in_file, source=KeySource(NEW)).opened():
            pass


async def test_the_wrong_key_file_is_named(place: Place) -> None:
    await place.make()
    encoded = base64.b64encode(NEW.secret).decode()
    place.key_file.write_text(f"dokstamp-ledger master key 1\n{encoded}\n")

    with pytest.raises(MasterKeyError, match=r"key file|does not open the generation file"):
        async with place.opened():
            pass


async def test_a_vault_without_its_secrets_is_refused(place: Place) -> None:
    await place.make()
    async with place.opened() as vault:
        await vault.database.run(
            lambda connection: connection.exec_driver_sql("DELETE FROM secrets")
        )

        with pytest.raises(MasterKeyError, match="restore the vault"):
            await vault.keys(["student:S-9"])
    with pytest.raises(MasterKeyError, match="restore the vault"):
        async with place.opened():
            pass


async def test_more_keys_than_a_page_are_wrapped_anew(place: Place) -> None:
    await place.make()
    async with place.opened() as vault:
        keys = await vault.keys(["", *(f"student:S-{number}" for number in range(1_100))])
        await vault.rotate()
        await vault.erase_person("student:S-0")
        vault.forget_all()
        keys.pop("student:S-0")

        assert await vault.existing_keys(keys) == keys


async def test_the_same_seed_makes_the_same_secrets_whatever_wraps_them(tmp_path: Path) -> None:
    found = []
    for number, has_generations in enumerate((False, True)):
        folder = tmp_path / str(number)
        folder.mkdir()
        place = Place(folder, has_generations=has_generations)
        entropy = SeededEntropy(1)
        await place.make(entropy)
        async with place.opened() as vault:
            found.append((vault.fingerprint, vault.signing_seed(), vault.lookup_digest(b"x")))

    assert found[0] == found[1]


async def secrets_of(place: Place) -> dict[str, bytes]:
    database = place.database()
    try:
        return await database.read(lambda connection: load_secrets(connection, LEDGER))
    finally:
        await database.close()


async def test_no_secret_stands_open_in_the_vault(place: Place) -> None:
    await place.make()
    async with place.opened() as vault:
        keys = await fill(vault)
        content = b"".join((await vault.database.read(wrapped)).values())
        content += b"".join((await secrets_of(place)).values())

        assert vault.signing_seed() not in content
        assert not any(key in content for key in keys.values())


def test_a_wrapping_of_a_vault_shows_no_key() -> None:
    assert repr(Wrapping(1, OLD.secret)) == "Wrapping(generation=1)"
