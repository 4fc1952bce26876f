"""Signed notes as C2SP's signed-note lays them down, with Ed25519 keys.

```
text, whose every line ends
                                  (an empty line, the last one of the note)
— name base64(key hash ‖ signature)
```

Signatures of keys that nobody asked about are left alone: they are how a key is replaced and how
witnesses add theirs. Anything that is not such a note to the letter is refused.
"""

import base64
import binascii
import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger.errors import IntegrityError

SEED_BYTES: Final = 32
SIGNATURES_MAX: Final = 100
NOTE_BYTES_MAX: Final = 1_000_000
_ED25519: Final = b"\x01"
_HASH_BYTES: Final = 4
_DASH: Final = "\N{EM DASH} "
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """Who may sign: a name and a public key, as auditors are given them."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        if not self.name or "+" in self.name or any(letter.isspace() for letter in self.name):
            message = "a key's name is not empty and has neither spaces nor a plus sign"
            raise IntegrityError(message)
        if len(self.public) != SEED_BYTES:
            message = f"a public key has {SEED_BYTES} bytes; ask again for the one of `audit key`"
            raise IntegrityError(message)

    @property
    def hash(self) -> bytes:
        """The four bytes that signatures name the key by, beside its name."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:_HASH_BYTES]

    def encode(self) -> str:
        """Return the key as one word: name, hash and public key."""
        return f"{self.name}+{self.hash.hex()}+{_to_base64(_ED25519 + self.public)}"

    @classmethod
    def decode(cls, text: str) -> "VerifierKey":
        """Return the key that `encode` wrote, or refuse a text that is none."""
        name, _, rest = text.partition("+")
        hash_hex, _, encoded = rest.partition("+")
        material = _from_base64(encoded)
        if material is None or material[:1] != _ED25519 or len(material) != 1 + SEED_BYTES:
            message = "this is no Ed25519 verifier key: give the one that `audit key` prints"
            raise IntegrityError(message)
        key = cls(name, material[1:])
        if key.hash.hex() != hash_hex:
            message = "a verifier key does not match its own hash: it was copied badly, or changed"
            raise IntegrityError(message)
        return key

    def verifies(self, text: str, signature: bytes) -> bool:
        """Tell whether the key's owner signed this text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class SignerKey:
    """What signs: a name and the seed that the public key follows from."""

    name: str
    seed: bytes = field(repr=False)

    @property
    def verifier(self) -> VerifierKey:
        """The key to give to auditors."""
        return VerifierKey(self.name, self._private().public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """Return the note that this text makes, signed."""
        if not text.endswith("\n") or _CONTROL.search(text):
            message = "a note's text ends its last line and holds no control characters"
            raise IntegrityError(message)
        signature = self._private().sign(text.encode())
        return f"{text}\n{_DASH}{self.name} {_to_base64(self.verifier.hash + signature)}\n"

    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


@dataclass(frozen=True, slots=True)
class Signature:
    """One line below a note's text, still to be verified."""

    name: str
    key_hash: bytes
    signature: bytes


def open_note(note: str, key: VerifierKey) -> str:
    """Return the text of a note that this key signed; raises `IntegrityError` for any other."""
    text, signatures = parse_note(note)
    mine = [each for each in signatures if (each.name, each.key_hash) == (key.name, key.hash)]
    if not mine:
        message = f"the note is not signed by {key.name}+{key.hash.hex()}: is it of another ledger?"
        raise IntegrityError(message)
    if not all(key.verifies(text, each.signature) for each in mine):
        message = f"the signature of {key.name} does not fit the note: one of them was changed"
        raise IntegrityError(message)
    return text


def parse_note(note: str) -> tuple[str, list[Signature]]:
    """Return a note's text and its signatures, unverified; refuses what is no note."""
    body, found, lines = note.rpartition("\n\n")
    text = body + "\n"
    if not found or not lines.endswith("\n") or _CONTROL.search(note) or not body:
        raise _malformed()
    rows = lines[:-1].split("\n")
    if len(note) > NOTE_BYTES_MAX or len(rows) > SIGNATURES_MAX:
        raise _malformed()
    return text, [_signature(row) for row in rows]


def _signature(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    decoded = _from_base64(encoded)
    is_named = bool(name) and "+" not in name and not any(letter.isspace() for letter in name)
    if not line.startswith(_DASH) or not is_named or decoded is None:
        raise _malformed()
    if len(decoded) <= _HASH_BYTES:
        raise _malformed()
    return Signature(name, decoded[:_HASH_BYTES], decoded[_HASH_BYTES:])


def _malformed() -> IntegrityError:
    return IntegrityError("this is not a signed note: give a checkpoint's file as it was written")


def _to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _from_base64(text: str) -> bytes | None:
    """Return what was encoded, and nothing for a text that another one would say as well."""
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return decoded if _to_base64(decoded) == text else None
