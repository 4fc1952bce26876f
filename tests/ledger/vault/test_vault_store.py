"""Erasing and rotating, as one host does it."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.util.concurrency import greenlet_spawn

from ledger.clock import SeededEntropy
from ledger.errors import MasterKeyError, StorageError
from ledger.vault.generation_store import read_generations
from ledger.vault.key_file_store import read_key_file
from ledger.vault.sealed import MasterKey
from ledger.vault.secret_store import load_secrets
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

pytestmark = pytest.mark.one_database("`place` brings both kinds")

OLD, NEW = MasterKey(b"o" * 32), MasterKey(b"n" * 32)
OTHERS = ["", "student:S-2", "student:S-3", document_owner(OTHER_DOCUMENT)]


async def test_an_erased_person_has_no_key_and_gets_none(place: Place) -> None:
    await place.make()
    async with place.opened() as vault:
        keys = await fill(vault)
        await vault.erase_person("student:S-1")

        assert await vault.existing_keys(["student:S-1"]) == {}
        assert await greenlet_spawn(vault.existing_keys_now, ["student:S-1"]) == {}
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


@pytest.mark.parametrize("bytes_max", [16, 100], ids=["the first file", "what comes after it"])
async def test_a_rotation_that_the_disk_stops_leaves_what_opens_everything(
    place: Place, bytes_max: int
) -> None:
    await place.make()
    async with place.opened() as vault:
        keys = await fill(vault)
        if place.has_generations or bytes_max == 16:
            with only_bytes(bytes_max), pytest.raises(StorageError, match="free or mend the disk"):
                await vault.rotate()
        else:
            with only_bytes(bytes_max), pytest.raises(StorageError):
                await vault.rotate()
    async with place.opened() as vault:
        assert await vault.existing_keys(keys) == keys
        assert "ledger.key.next" not in place.names
        await vault.rotate()
    async with place.opened() as vault:
        assert await vault.existing_keys(keys) == keys


@contextmanager
def only_bytes(bytes_max: int) -> Iterator[None]:
    """Let no file of this process grow any further than this, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_max, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


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
