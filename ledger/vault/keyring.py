"""The opened keys that a process keeps at hand, bounded, the longest unused going first."""

from collections import OrderedDict
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Final

KEYS_MAX: Final = 4096


class Keyring:
    """Opened person keys, never shown; as safe between threads as the lock."""

    __slots__ = ("_era", "_keys", "_lock", "_maximum")

    def __init__(self, lock: AbstractContextManager[object], *, keys_max: int = KEYS_MAX) -> None:
        if keys_max < 1:
            message = "a keyring holds one key at least; raise keys_max"
            raise ValueError(message)
        self._keys: OrderedDict[str, bytes] = OrderedDict()
        self._maximum = keys_max
        self._era = 0
        self._lock = lock

    @property
    def era(self) -> int:
        """How often keys were forgotten: what was read in an earlier era may be gone by now."""
        return self._era

    def get(self, person: str) -> bytes | None:
        """Return the person's key and count that as a use, or None when it is not at hand."""
        with self._lock:
            key = self._keys.get(person)
            if key is not None:
                self._keys.move_to_end(person)
            return key

    def put(self, person: str, key: bytes) -> None:
        """Remember the person's key in place of the one unused for longest."""
        with self._lock:
            self._put(person, key)

    def keep(self, keys: Mapping[str, bytes], *, era: int) -> None:
        """Remember keys that were read in an era, unless any were forgotten since."""
        with self._lock:
            if era == self._era:
                for person, key in keys.items():
                    self._put(person, key)

    def _put(self, person: str, key: bytes) -> None:
        self._keys[person] = key
        self._keys.move_to_end(person)
        if len(self._keys) > self._maximum:
            self._keys.popitem(last=False)

    def clear(self) -> None:
        """Remember no key any longer."""
        with self._lock:
            self._era += 1
            self._keys.clear()

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return f"Keyring({len(self._keys)} of {self._maximum})"
