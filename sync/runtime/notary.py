"""Signs the log's tree heads and publishes them, and never two that contradict each other."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from ledger.audit.checkpoint import Checkpoint, origin_of, read_checkpoint, signer_of
from ledger.audit.checkpoint_store import read_tree
from ledger.audit.checkpoint_writer import (
    file_for,
    mark_of,
    raise_note,
    read_note,
    write_note,
)
from ledger.audit.note import SignerKey, VerifierKey
from ledger.audit.verification import Head
from ledger.errors import IntegrityError
from ledger.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Published:
    """A tree head as it was signed."""

    size: int
    root: str
    checkpoint: str
    """The signed note itself."""
    path: Path | None = None
    """Where it was written; none when it only goes to whoever asked."""


class Notary:
    """Holds a ledger's signing key for as long as something is signed or checked with it."""

    def __init__(self, ledger: Ledger, *, key_file: Path) -> None:
        self._ledger = ledger
        self._mark = mark_of(key_file)

    @property
    def key(self) -> VerifierKey:
        """The key to give to auditors."""
        return self._signer().verifier

    async def sign(self) -> Published:
        """Return the present tree head, signed; raises `IntegrityError` rather than a false one."""
        await self._ledger.complete_tiles()
        number, published = self._ledger.scope.ledger, await self.published()
        head = await self._ledger.read(lambda c: read_tree(c, number, published=published))
        # A power cut must not leave a log that is shorter than what was signed of it.
        await self._ledger.database.make_durable()
        return Published(head.size, head.root.hex(), await self.hand_out(head))

    async def hand_out(self, head: Head) -> str:
        """Return a tree head signed, below which the log may never fall from now on.

        It must be durable, and have been read with `published` in mind.
        """
        note = self.note(head)
        # Remembered first: what was handed out and forgotten could be contradicted later.
        await asyncio.to_thread(raise_note, self._mark, note, size_of=self._size_of)
        return note

    def note(self, head: Head) -> str:
        """Return a tree head signed, which must have been read with `published` in mind."""
        return Checkpoint(origin_of(self._ledger.ledger_id), head).sign(self._signer())

    async def publish(self, target: str | Path | None = None) -> Published:
        """Return the present tree head, signed, written to a file or folder, and remembered.

        A name that ends in a slash is a folder's, which must be there.
        """
        if target is not None:
            # Told before anything is signed: a missing folder would be found too late after it.
            file_for(target, size=0)
        signed = await self.sign()
        path = None if target is None else file_for(target, size=signed.size)
        if path is not None:
            await asyncio.to_thread(write_note, path, signed.checkpoint)
        return Published(signed.size, signed.root, signed.checkpoint, path)

    async def published(self) -> list[Head]:
        """Return the newest tree head that was published, if any, as kept beside the key file."""
        note = await asyncio.to_thread(read_note, self._mark)
        try:
            return [] if note is None else [read_checkpoint(note, self.key).head]
        except IntegrityError as error:
            message = (
                f"the checkpoint {self._mark} beside the key file is not this ledger's ({error}): "
                "restore the file from its backup; if another ledger was kept with this key file, "
                "move the file to where that ledger is and give each a key file of its own"
            )
            raise IntegrityError(message) from error

    async def last_at(self, target: str | Path) -> int:
        """Return the size of the newest tree head if it was written there, or -1."""
        for head in await self.published():
            note = await asyncio.to_thread(read_note, file_for(target, size=head.size))
            if note is not None and self._size_of(note) == head.size:
                return head.size
        return -1

    async def read(self, path: Path) -> Head:
        """Return the tree head in a checkpoint's file; raises what is wrong with the file."""
        note = await asyncio.to_thread(read_note, path)
        if note is None:
            message = f"there is no checkpoint at {path}: name the file of one"
            raise IntegrityError(message)
        return read_checkpoint(note, self.key).head

    def _size_of(self, note: str) -> int:
        return read_checkpoint(note, self.key).head.size

    def _signer(self) -> SignerKey:
        return signer_of(self._ledger.ledger_id, seed=self._ledger.vault.signing_seed())
