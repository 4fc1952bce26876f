"""Where the master key comes from: the key file, a value that was given, or the host."""

import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from ledger.errors import MasterKeyError
from ledger.vault.sealed import MasterKey

HostKey = Callable[[], bytes | Awaitable[bytes]]
"""A function of the host that returns the 32 bytes of the master key, at once or awaited."""


@dataclass(frozen=True, slots=True)
class KeySource:
    """Where the master key comes from; by default the key file."""

    given: MasterKey | None = None
    """A key that was handed over, such as the setting LEDGER_KEY; no key file is made then."""
    following: MasterKey | None = None
    """The key that a rotation brings in after the given one, such as LEDGER_KEY_NEXT."""
    ask: HostKey | None = field(default=None, repr=False)
    """A function of the host, asked on every open and whenever the key no longer fits."""

    def __post_init__(self) -> None:
        if self.ask is not None and self.given is not None:
            message = "the master key comes from LEDGER_KEY and from the host: give it one way"
            raise MasterKeyError(message)

    @property
    def is_file(self) -> bool:
        """Whether the key is kept in the key file."""
        return self.given is None and self.ask is None


FROM_FILE: Final = KeySource()
"""The key file and nothing else."""


def key_of(text: str) -> MasterKey:
    """Return the master key that a text holds in base64."""
    try:
        return MasterKey(base64.b64decode(text.strip(), validate=True))
    except (ValueError, MasterKeyError):
        message = "32 bytes in base64, as `openssl rand -base64 32` prints them"
        raise MasterKeyError(message) from None
