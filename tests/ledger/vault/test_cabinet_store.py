"""Where the master key comes from, and what is told when it does not fit."""

import base64
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.errors import MasterKeyError
from ledger.vault.key_file_store import read_key_file
from ledger.vault.key_source import KeySource
from ledger.vault.sealed import MasterKey
from tests.ledger.vault.vaults import (
    Place,
    fill,
)

pytestmark = pytest.mark.one_database("`place` brings both kinds; a key file is the same on both")

OLD, NEW = MasterKey(b"o" * 32), MasterKey(b"n" * 32)


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

    with pytest.raises(
        MasterKeyError,
        match=r"key file .* is not the one this ledger is wrapped by: .*LEDGER_KEY_FILE",
    ):
        async with place.opened():
            pass
