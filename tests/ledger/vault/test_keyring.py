import pytest

from ledger.vault.keyring import Keyring


def test_a_key_that_was_put_is_at_hand_until_forgotten() -> None:
    keyring = Keyring()
    keyring.put("student:S-1", b"one")

    before = keyring.get("student:S-1")
    keyring.clear()
    keyring.clear()

    assert before == b"one"
    assert keyring.get("student:S-1") is None


def test_the_key_unused_for_longest_gives_way() -> None:
    keyring = Keyring(keys_max=2)
    keyring.put("first", b"1")
    keyring.put("second", b"2")
    keyring.get("first")

    keyring.put("third", b"3")

    assert [keyring.get(name) for name in ("first", "second", "third")] == [b"1", None, b"3"]
    assert len(keyring) == 2


def test_putting_a_key_again_replaces_it_and_drops_no_other() -> None:
    keyring = Keyring(keys_max=2)
    keyring.put("first", b"1")
    keyring.put("second", b"2")

    keyring.put("second", b"two")

    assert (keyring.get("first"), keyring.get("second")) == (b"1", b"two")


def test_clearing_leaves_nothing() -> None:
    keyring = Keyring()
    keyring.put("first", b"1")

    keyring.clear()

    assert len(keyring) == 0


def test_a_keyring_shows_neither_keys_nor_persons() -> None:
    keyring = Keyring(keys_max=9)
    keyring.put("student:S-1", b"secret")

    assert repr(keyring) == "Keyring(1 of 9)"
    assert not hasattr(keyring, "__dict__")


def test_a_keyring_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="raise keys_max"):
        Keyring(keys_max=0)


def test_forgetting_begins_another_era() -> None:
    keyring = Keyring()
    eras = [keyring.era]
    keyring.put("a", b"key")
    eras.append(keyring.era)
    keyring.clear()
    eras.append(keyring.era)
    keyring.clear()
    eras.append(keyring.era)

    assert eras == [0, 0, 1, 2]
