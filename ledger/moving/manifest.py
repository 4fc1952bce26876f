"""The manifest of a backup: what is in it, which tree it holds, and the hashes of its files."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from ledger.errors import IntegrityError

FORMAT: Final = "dokstamp-ledger backup 1"
NAME: Final = "manifest.json"
MAIN: Final = "ledger.db"
VAULT: Final = "ledger.vault.db"
FILES: Final = (MAIN, VAULT)
MANIFEST_BYTES_MAX: Final = 64 * 1024
_NOT_WHOLE: Final = "the backup's manifest is damaged or of another version: take another backup"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself."""

    ledger: str
    size: int
    root: str
    taken_at: str
    checkpoint: str
    """The tree head as a signed note, so that an auditor can hold the backup against others."""
    files: Mapping[str, str]
    """The SHA-256 of each file, by its name."""

    def encode(self) -> bytes:
        """Return the manifest as the file holds it."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=2).encode() + b"\n"

    @classmethod
    def decode(cls, content: bytes) -> "Manifest":
        """Return the manifest that `encode` wrote; raises `IntegrityError` for anything else."""
        try:
            stated: dict[str, Any] = json.loads(content)
            is_ours = stated.pop("format") == FORMAT
            found = cls(**stated)
            is_whole = sorted(found.files) == sorted(FILES) and isinstance(found.size, int)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise IntegrityError(_NOT_WHOLE) from None
        if not (is_ours and is_whole):
            raise IntegrityError(_NOT_WHOLE)
        return found
