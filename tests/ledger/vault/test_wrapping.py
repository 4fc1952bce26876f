import pytest

from ledger.errors import IntegrityError
from ledger.vault.sealed import KEY_BYTES, NONCE_BYTES, MasterKey, fingerprint
from ledger.vault.wrapping import Wrapping, from_bytes, generation_of, to_bytes

KEY = bytes(range(KEY_BYTES))
SECRET = b"m" * KEY_BYTES
NONCE = b"n" * NONCE_BYTES


def wrapped(wrapping: Wrapping) -> bytes:
    return wrapping.wrap(SECRET, nonce=NONCE, owner="student:S-1")


def test_what_was_wrapped_opens_for_its_owner_only() -> None:
    wrapping = Wrapping(3, KEY)
    blob = wrapped(wrapping)

    assert wrapping.unwrap(blob, owner="student:S-1") == SECRET
    assert SECRET not in blob
    with pytest.raises(IntegrityError, match="another vault"):
        wrapping.unwrap(blob, owner="student:S-2")


@pytest.mark.parametrize("other", [Wrapping(4, KEY), Wrapping(3, SECRET)])
def test_another_generation_or_key_opens_nothing(other: Wrapping) -> None:
    blob = wrapped(Wrapping(3, KEY))

    with pytest.raises(IntegrityError, match="does not open"):
        other.unwrap(blob, owner="student:S-1")
    with pytest.raises(IntegrityError, match="does not open"):
        other.unwrap(other.generation.to_bytes(8) + blob[8:], owner="student:S-1")


def test_a_wrapped_key_begins_with_its_generation() -> None:
    assert wrapped(Wrapping(7, KEY)).startswith((7).to_bytes(8))


@pytest.mark.parametrize("blob", [b"", b"\0" * 8, b"\0" * 50])
def test_damage_is_told_whatever_it_looks_like(blob: bytes) -> None:
    with pytest.raises(IntegrityError, match="does not open"):
        Wrapping(0, KEY).unwrap(blob, owner="")


def test_a_name_tells_wrappings_apart_and_no_key() -> None:
    names = {Wrapping(1, KEY).name, Wrapping(2, KEY).name, Wrapping(1, SECRET).name}

    assert len(names) == 3
    assert Wrapping(2, KEY).name == (2).to_bytes(8) + fingerprint(KEY)
    assert generation_of(Wrapping(2, KEY).name) == 2
    assert "key" not in repr(Wrapping(2, KEY))


def test_the_wrapping_of_a_master_key_is_derived_from_it() -> None:
    assert Wrapping.of_master(MasterKey(SECRET)) == Wrapping(0, MasterKey(SECRET).wrapping)


@pytest.mark.parametrize("held", [[], [Wrapping(1, KEY)], [Wrapping(1, KEY), Wrapping(2, SECRET)]])
def test_wrappings_come_back_from_their_bytes(held: list[Wrapping]) -> None:
    assert list(from_bytes(to_bytes(held))) == held
