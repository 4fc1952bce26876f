"""The cabinet: everything that opens the vault and is in no database.

```
dokstamp-ledger.key              the master key, unless it comes from elsewhere
dokstamp-ledger.key.next         the master key that a rotation is bringing in
dokstamp-ledger.key.generation   the generation keys, where the database keeps what is deleted
```
"""

from collections.abc import Sequence
from inspect import isawaitable
from pathlib import Path

from ledger.clock import Entropy
from ledger.errors import MasterKeyError
from ledger.vault.generation_store import (
    Generations,
    generation_file,
    read_generations,
    write_generations,
)
from ledger.vault.key_file_store import make_key_file, read_key_file, write_key_file
from ledger.vault.key_source import KeySource
from ledger.vault.private_file_store import beside, move, not_written, remove
from ledger.vault.sealed import KEY_BYTES, NONCE_BYTES, MasterKey
from ledger.vault.wrapping import DERIVED, Wrapping, generation_of


class Cabinet:
    """Finds the wrapping key that a vault names, and changes the files when that changes."""

    def __init__(self, key_file: Path, source: KeySource, *, entropy: Entropy) -> None:
        self.key_file = key_file
        self.source = source
        self._entropy = entropy
        self._next = beside(key_file, "next")
        self._generations = generation_file(key_file)
        self._masters: tuple[MasterKey, ...] = ()

    async def refresh(self) -> None:
        """Ask again for the master key, wherever it comes from."""
        if self.source.ask is None:
            self.refresh_now()
            return
        answer = self.source.ask()
        secret = await answer if isawaitable(answer) else answer
        self._take(MasterKey(secret))

    def refresh_now(self) -> None:
        """Ask again for the master key, unless only the host could tell."""
        if self.source.is_file:
            self._masters = self._in_files()
        elif self.source.given is not None:
            self._take(self.source.given)

    @property
    def has_files(self) -> bool:
        """Whether there is a master key in a file."""
        return self.key_file.exists() or self._next.exists()

    def make_key_file(self) -> None:
        """Make the key file of a new ledger, unless there is one or the key is kept elsewhere."""
        if self.source.is_file and not self.has_files:
            make_key_file(self.key_file, self._entropy.bytes(KEY_BYTES))

    @property
    def generation_file(self) -> Path | None:
        """The file with the generation keys, where the database needs one."""
        return self._generations if self._generations.exists() else None

    @property
    def master(self) -> MasterKey:
        """The master key, as it was last asked for."""
        return self._masters[0]

    def find(self, name: bytes, *, vault: bytes) -> Wrapping:
        """Return the wrapping of this name; raises `MasterKeyError` where nothing here is it."""
        generation = generation_of(name)
        for each in self._held(generation, vault=vault):
            if each.name == name:
                return each
        raise MasterKeyError(self._unfitting(generation))

    def prepare(self, upcoming: Wrapping, *, beside: Sequence[Wrapping], vault: bytes) -> None:
        """Make a new generation key durable beside those that stand; the vault's row is held."""
        master = self.master
        if self._generations.exists():
            master = self._read(vault).master
        self._write(Generations([*beside, upcoming], master), vault=vault)

    def stage(self, master: MasterKey) -> None:
        """Make a new master key durable before anything is wrapped by it; the row is held."""
        if self.source.is_file:
            write_key_file(self._next, master)
        self._masters = (*self._masters, master)

    def reseal(self, master: MasterKey, *, vault: bytes) -> None:
        """Seal the generation file under another master key; the vault's row is held."""
        held = self._read(vault)
        self._write(Generations(held.wrappings, master), vault=vault)

    def is_settled(self, live: Wrapping, *, vault: bytes) -> bool:
        """Tell whether the files hold what is live and nothing else."""
        if self.source.is_file and self._next.exists():
            return False
        return live.generation == DERIVED or self._held(live.generation, vault=vault) == [live]

    def settle(self, live: Wrapping, *, vault: bytes) -> None:
        """Finish or undo what a rotation or an erasure left; the vault's row is held."""
        try:
            if live.generation != DERIVED:
                held = self._read(vault)
                if list(held.wrappings) != [live]:
                    self._write(Generations([live], held.master), vault=vault)
                self._settle_master(held.master)
            else:
                fitting = [each for each in self._masters if Wrapping.of_master(each) == live]
                self._settle_master(fitting[0])
        except OSError as error:
            raise not_written(self.key_file, error) from error

    def _settle_master(self, master: MasterKey) -> None:
        self._masters = (master, *(each for each in self._masters if each != master))
        if not (self.source.is_file and self._next.exists()):
            return
        if self.key_file.exists() and read_key_file(self.key_file) == master:
            remove(self._next)
        else:
            move(self._next, self.key_file)

    def _in_files(self) -> tuple[MasterKey, ...]:
        if not self._next.exists():
            return (read_key_file(self.key_file),)
        upcoming = read_key_file(self._next)
        return (read_key_file(self.key_file), upcoming) if self.key_file.exists() else (upcoming,)

    def _take(self, master: MasterKey) -> None:
        if self.key_file.exists() and read_key_file(self.key_file) != master:
            message = (
                f"the master key that was given is not the one in the key file {self.key_file}: "
                "use one of the two; move the file away, or unset LEDGER_KEY"
            )
            raise MasterKeyError(message)
        later = (self.source.following, *self._masters)
        self._masters = (master, *(each for each in later if each not in (None, master)))

    def _held(self, generation: int, *, vault: bytes) -> list[Wrapping]:
        if generation == DERIVED:
            return [Wrapping.of_master(master) for master in self._masters]
        return list(self._read(vault).wrappings)

    def _read(self, vault: bytes) -> Generations:
        wrong = (
            f"{self._unfitting(DERIVED)}, with the generation file {self._generations} that "
            "belongs to it"
        )
        return read_generations(self._generations, self._masters, vault=vault, wrong=wrong)

    def _write(self, held: Generations, *, vault: bytes) -> None:
        nonce = self._entropy.bytes(NONCE_BYTES)
        write_generations(self._generations, held, vault=vault, nonce=nonce)

    def _unfitting(self, generation: int) -> str:
        if generation != DERIVED:
            return (
                f"the generation file {self._generations} does not hold generation {generation}, "
                "which the vault is wrapped by: copy the file from the host that erased last; a "
                "vault restored from before an erasure opens nothing, restore a later one"
            )
        if self.source.is_file:
            return (
                f"the key file {self.key_file} is not the one this ledger is wrapped by: point "
                "the setting LEDGER_KEY_FILE to the right one; after a rotation that is the new one"
            )
        return (
            "the master key that was given is not the one this ledger is wrapped by: set "
            "LEDGER_KEY to the right one; after a rotation that is the new one"
        )
