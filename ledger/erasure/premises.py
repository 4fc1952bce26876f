"""What the work on persons needs of an open ledger, without knowing the door itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from ledger.clock import Clock
from ledger.database import Database
from ledger.log.event import Event
from ledger.reference import Json, LedgerId, Position, Scope, SourceRef
from ledger.scribe import Scribe
from ledger.sealing import Sealer
from ledger.transaction import Transaction
from ledger.vault.vault_store import Vault

T = TypeVar("T")
Finder = Callable[[Event], tuple[bytes, ...] | None]
"""Tells of a refused line whether it is about a person: the documents it names, or `None`."""


class Premises(Protocol):
    """An open ledger, as far as erasing goes."""

    clock: Clock
    database: Database
    ledger_id: LedgerId
    scope: Scope
    sealer: Sealer
    vault: Vault

    async def read(self, function: Callable[[Connection], T]) -> T:
        """Run a function that only reads, on one consistent snapshot."""

    async def read_folded(self, function: Callable[[Connection, Scope], T]) -> T:
        """Run a function that reads what is folded, of the folding live in its snapshot."""

    async def transact(self, step: Callable[[Transaction], T]) -> T:
        """Run one step atomically; it is durable on return."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Whom a person in charge means, and what is kept of who decided and why."""

    person: str
    subject: SourceRef
    private: Mapping[str, Json] | None = field(default=None, repr=False)
    """Sealed under the person's own key, so that it goes with the rest."""
    find: Finder | None = field(default=None, repr=False)
    """Finds refused lines about the person; without it they are left alone."""


@dataclass(frozen=True, slots=True)
class Teller:
    """Writes events about a person within the steps that decide what they say."""

    scribe: Scribe
    wish: Wish

    def record(self, step: Transaction, kind: str, public: dict[str, Json]) -> Position:
        """Log and fold it; the private part is kept where the person's key still exists."""
        return self.scribe.record(
            step,
            kind,
            public=public,
            subject=self.wish.subject,
            private=self.wish.private,
            person=str(public["person"]),
        )


async def telling(premises: Premises, wish: Wish, person: str) -> Teller:
    """Return what writes events about a person under one of their names."""
    return Teller(Scribe(premises.sealer, await premises.vault.keys([person])), wish)
