"""Wrapping keys: how the keys of persons may be stored, and under which of them they are.

A wrapped key is the number of its generation, then what opens with that generation's key alone.
Generation 0 is derived from the master key; any other is a random key of the generation file.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from ledger.errors import IntegrityError
from ledger.vault.sealed import KEY_BYTES, MasterKey, decrypt, encrypt, fingerprint

DERIVED: Final = 0
GENERATION_BYTES: Final = 8
_ENTRY_BYTES: Final = GENERATION_BYTES + KEY_BYTES
_DOES_NOT_OPEN: Final = (
    "a wrapped key does not open: the vault is damaged, or a row of another vault stands in it; "
    "restore its backup"
)


@dataclass(frozen=True, slots=True)
class Wrapping:
    """A key under which other keys are stored, and the number of its generation."""

    generation: int
    key: bytes = field(repr=False)

    @classmethod
    def of_master(cls, master: MasterKey) -> Self:
        """Return the wrapping that needs no file but the key file."""
        return cls(DERIVED, master.wrapping)

    @property
    def name(self) -> bytes:
        """What the vault notes to tell this wrapping from every other, without revealing it."""
        return self.generation.to_bytes(GENERATION_BYTES) + fingerprint(self.key)

    def wrap(self, secret: bytes, *, nonce: bytes, owner: str) -> bytes:
        """Return a secret as the vault may store it, for this owner only."""
        generation = self.generation.to_bytes(GENERATION_BYTES)
        context = _context(generation, owner)
        return generation + encrypt(self.key, nonce=nonce, plaintext=secret, context=context)

    def unwrap(self, wrapped: bytes, *, owner: str) -> bytes:
        """Return the secret; raises `IntegrityError` for what was wrapped otherwise."""
        generation, sealed = wrapped[:GENERATION_BYTES], wrapped[GENERATION_BYTES:]
        if generation != self.generation.to_bytes(GENERATION_BYTES):
            raise IntegrityError(_DOES_NOT_OPEN)
        try:
            return decrypt(self.key, sealed, context=_context(generation, owner))
        except IntegrityError as error:
            raise IntegrityError(_DOES_NOT_OPEN) from error


def generation_of(name: bytes) -> int:
    """Return the number of the generation that a wrapping's name tells."""
    return int.from_bytes(name[:GENERATION_BYTES])


def to_bytes(wrappings: Iterable[Wrapping]) -> bytes:
    """Return wrappings as the generation file holds them, under its seal."""
    return b"".join(each.generation.to_bytes(GENERATION_BYTES) + each.key for each in wrappings)


def from_bytes(content: bytes) -> Sequence[Wrapping]:
    """Return the wrappings that `to_bytes` wrote."""
    return [
        Wrapping(
            int.from_bytes(content[begin : begin + GENERATION_BYTES]),
            content[begin + GENERATION_BYTES : begin + _ENTRY_BYTES],
        )
        for begin in range(0, len(content), _ENTRY_BYTES)
    ]


def _context(generation: bytes, owner: str) -> bytes:
    return b"key of " + generation + owner.encode()
