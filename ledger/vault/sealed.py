"""Seal and open bytes, and derive what the master key is used for.

A sealed value is a format byte, a nonce, and AES-256-GCM over the salt and the plaintext.
Nonce and salt come in as parameters: each must be fresh from a source fit for keys.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ledger.errors import IntegrityError, MasterKeyError

KEY_BYTES: Final = 32
SALT_BYTES: Final = 32
NONCE_BYTES: Final = 12
FINGERPRINT_BYTES: Final = 16
FORMAT: Final = b"\x01"

_BODY_AT: Final = len(FORMAT) + NONCE_BYTES
_DAMAGED: Final = "a sealed value does not open: it is damaged or was moved; restore a backup"


@dataclass(frozen=True, slots=True)
class MasterKey:
    """The one secret that no database holds, and the keys derived from it, one per purpose."""

    secret: bytes = field(repr=False)
    wrapping: bytes = field(init=False, repr=False, compare=False)
    """Wraps the keys of persons and documents where no generation key does."""
    generations: bytes = field(init=False, repr=False, compare=False)
    """Seals the generation keys in their file."""

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            message = f"a master key has {KEY_BYTES} bytes; restore it from its backup"
            raise MasterKeyError(message)
        for purpose in ("wrapping", "generations"):
            object.__setattr__(self, purpose, _derived(self.secret, purpose, KEY_BYTES))


def fingerprint(key: bytes) -> bytes:
    """Return what names a key without revealing it."""
    return _derived(key, "fingerprint", FINGERPRINT_BYTES)


def _derived(secret: bytes, purpose: str, count: int) -> bytes:
    info = f"dokstamp-ledger {purpose} 1".encode()
    return HKDF(algorithm=SHA256(), length=count, salt=None, info=info).derive(secret)


def seal(key: bytes, *, salt: bytes, nonce: bytes, plaintext: bytes, context: bytes) -> bytes:
    """Return the plaintext sealed so that it opens only with this key and this context."""
    if len(salt) != SALT_BYTES:
        message = f"a salt has {SALT_BYTES} bytes; take them from an Entropy"
        raise ValueError(message)
    return encrypt(key, nonce=nonce, plaintext=salt + plaintext, context=context)


def open_sealed(key: bytes, sealed: bytes, *, context: bytes) -> tuple[bytes, bytes]:
    """Return the salt and the plaintext, or refuse bytes that were not sealed like this."""
    opened = decrypt(key, sealed, context=context)
    if len(opened) < SALT_BYTES:
        raise IntegrityError(_DAMAGED)
    return opened[:SALT_BYTES], opened[SALT_BYTES:]


def commitment(salt: bytes, plaintext: bytes) -> bytes:
    """Return the hash that binds the log to one plaintext without revealing it.

    AES-GCM alone does not: one sealed value can open to two plaintexts under two keys.
    """
    return hashlib.sha256(salt + plaintext).digest()


def keyed_digest(key: bytes, *parts: bytes) -> bytes:
    """Return a digest of the parts that only a holder of the key can make or compare.

    Every part is preceded by its length: moving a byte between parts changes the digest.
    """
    digest = hmac.new(key, digestmod=hashlib.sha256)
    for part in parts:
        digest.update(len(part).to_bytes(8))
        digest.update(part)
    return digest.digest()


def encrypt(key: bytes, *, nonce: bytes, plaintext: bytes, context: bytes) -> bytes:
    """Return what opens only with this key and context; for keys, which need no salt."""
    if len(nonce) != NONCE_BYTES or len(key) != KEY_BYTES:
        message = (
            f"a key has {KEY_BYTES} bytes and a nonce {NONCE_BYTES}; take them from an Entropy"
        )
        raise ValueError(message)
    return FORMAT + nonce + AESGCM(key).encrypt(nonce, plaintext, context)


def decrypt(key: bytes, sealed: bytes, *, context: bytes) -> bytes:
    """Return what was encrypted; raises `IntegrityError` where it does not open."""
    if not sealed.startswith(FORMAT):
        message = "a sealed value has an unknown format; a newer program may have written it"
        raise IntegrityError(message)
    nonce, body = sealed[len(FORMAT) : _BODY_AT], sealed[_BODY_AT:]
    try:
        return AESGCM(key).decrypt(nonce, body, context)
    except (InvalidTag, ValueError) as error:
        raise IntegrityError(_DAMAGED) from error
