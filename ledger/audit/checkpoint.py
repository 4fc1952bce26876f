"""Signed tree heads as C2SP's tlog-checkpoint lays them down: origin, size, root.

A checkpoint that somebody else keeps is what makes cutting off and writing anew detectable: the log
must have that root at that size for ever.
"""

import base64
import re
from dataclasses import dataclass
from typing import Final

from ledger.audit.note import SignerKey, VerifierKey, open_note
from ledger.audit.verification import Head
from ledger.errors import IntegrityError
from ledger.log.merkle import HASH_BYTES
from ledger.reference import LedgerId

_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_LINES_MIN: Final = 3


def origin_of(ledger_id: LedgerId) -> str:
    """Return the name of a ledger's log, and of the key that signs its tree heads."""
    return f"dokstamp-ledger/{ledger_id}"


def signer_of(ledger_id: LedgerId, *, seed: bytes) -> SignerKey:
    """Return the key that signs a ledger's tree heads."""
    return SignerKey(origin_of(ledger_id), seed)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head, and whose it is."""

    origin: str
    head: Head

    def text(self) -> str:
        """Return the text that is signed."""
        root = base64.b64encode(self.head.root).decode()
        return f"{self.origin}\n{self.head.size}\n{root}\n"

    def sign(self, key: SignerKey) -> str:
        """Return the checkpoint as it is published."""
        return key.sign(self.text())


def read_checkpoint(note: str, key: VerifierKey) -> Checkpoint:
    """Return the tree head in a note that this key signed; raises `IntegrityError` if it did not.

    Lines after the root are allowed by the format and mean nothing here.
    """
    lines = open_note(note, key).split("\n")[:-1]
    checkpoint = _parsed(*lines[:_LINES_MIN]) if len(lines) >= _LINES_MIN else None
    if checkpoint is None or "" in lines:
        message = "a signed note is no checkpoint: it needs an origin, a size and a root hash"
        raise IntegrityError(message)
    if checkpoint.origin != key.name:
        message = f"the checkpoint is of {checkpoint.origin}: give one of {key.name}"
        raise IntegrityError(message)
    return checkpoint


def _parsed(origin: str, size: str, root: str) -> Checkpoint | None:
    if not origin or not _SIZE.fullmatch(size):
        return None
    try:
        decoded = base64.b64decode(root, validate=True)
    except ValueError:
        return None
    is_exact = base64.b64encode(decoded).decode() == root and len(decoded) == HASH_BYTES
    return Checkpoint(origin, Head(int(size), decoded)) if is_exact else None
