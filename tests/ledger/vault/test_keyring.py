import threading
from typing import ClassVar

import pytest

from ledger.vault.keyring import Keyring


def test_a_key_that_was_put_is_at_hand_until_forgotten() -> None:
    keyring = Keyring(threading.Lock())
    keyring.put("student:S-1", b"one")

    before = keyring.get("student:S-1")
    keyring.clear()
    keyring.clear()

    assert before == b"one"
    assert keyring.get("student:S-1") is None


def test_the_key_unused_for_longest_gives_way() -> None:
    keyring = Keyring(threading.Lock(), keys_max=2)
    keyring.put("first", b"1")
    keyring.put("second", b"2")
    keyring.get("first")

    keyring.put("third", b"3")

    assert [keyring.get(name) for name in ("first", "second", "third")] == [b"1", None, b"3"]
    assert len(keyring) == 2


def test_putting_a_key_again_replaces_it_and_drops_no_other() -> None:
    keyring = Keyring(threading.Lock(), keys_max=2)
    keyring.put("first", b"1")
    keyring.put("second", b"2")

    keyring.put("second", b"two")

    assert (keyring.get("first"), keyring.get("second")) == (b"1", b"two")


def test_clearing_leaves_nothing() -> None:
    keyring = Keyring(threading.Lock())
    keyring.put("first", b"1")

    keyring.clear()

    assert len(keyring) == 0


def test_a_keyring_shows_neither_keys_nor_persons() -> None:
    keyring = Keyring(threading.Lock(), keys_max=9)
    keyring.put("student:S-1", b"secret")

    assert repr(keyring) == "Keyring(1 of 9)"
    assert not hasattr(keyring, "__dict__")


def test_a_keyring_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="raise keys_max"):
        Keyring(threading.Lock(), keys_max=0)


def test_forgetting_begins_another_era() -> None:
    keyring = Keyring(threading.Lock())
    eras = [keyring.era]
    keyring.put("a", b"key")
    eras.append(keyring.era)
    keyring.clear()
    eras.append(keyring.era)
    keyring.clear()
    eras.append(keyring.era)

    assert eras == [0, 0, 1, 2]


def test_what_was_read_before_others_forgot_is_not_kept() -> None:
    keyring = Keyring(threading.Lock())
    era = keyring.era
    keyring.keep({"student:S-1": b"one"}, era=era)
    before = keyring.get("student:S-1")
    keyring.clear()

    keyring.keep({"student:S-1": b"one"}, era=era)

    assert (before, keyring.get("student:S-1")) == (b"one", None)


class Slow(str):
    """A person whose key is found only after somebody else had time to forget it."""

    __slots__ = ()
    asked: ClassVar[list[int]] = []
    found = threading.Event()
    forgotten = threading.Event()

    def __hash__(self) -> int:
        return str.__hash__(self)

    def __eq__(self, other: object) -> bool:
        self.asked.append(1)
        # The first time to find it, the second to move it.
        if len(self.asked) == 2:
            self.found.set()
            self.forgotten.wait(0.2)
        return str.__eq__(self, other)


def test_keys_may_be_forgotten_while_another_thread_asks_for_one() -> None:
    keyring = Keyring(threading.Lock())
    keyring.put(Slow("student:S-1"), b"one")

    def forget() -> None:
        Slow.found.wait(10)
        keyring.clear()
        Slow.forgotten.set()

    forgetting = threading.Thread(target=forget)
    forgetting.start()
    found = keyring.get(Slow("student:S-1"))
    forgetting.join()

    assert found in {b"one", None}
    assert len(keyring) == 0
