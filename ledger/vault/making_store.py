"""A ledger's part of the vault, made: its name, its wrapping, its secrets."""

from typing import Final

from sqlalchemy import Connection

from ledger.clock import Entropy
from ledger.database import Database
from ledger.vault.cabinet_store import Cabinet
from ledger.vault.sealed import KEY_BYTES, NONCE_BYTES
from ledger.vault.secret_store import (
    NAMES,
    VAULT,
    WRAPPING,
    add_secrets,
    commit_through,
    hold_name,
    load_secrets,
    secret_owner,
)
from ledger.vault.wrapping import DERIVED, Wrapping

VAULT_NAME_BYTES: Final = 16
FIRST_GENERATION: Final = 1


async def make_secrets(
    database: Database, ledger: int, *, cabinet: Cabinet, entropy: Entropy, generations: bool
) -> None:
    """Make what is missing of a ledger's secrets, durable; what stands stays as it is.

    With generations the wrapping key is a random one in the generation file, so that an erasure
    can destroy it: for databases that keep copies of what they delete.
    """
    await cabinet.refresh()
    # Drawn whether needed or not, so that the same seed makes the same ledger on any database.
    name = entropy.bytes(VAULT_NAME_BYTES)
    fresh = Wrapping(FIRST_GENERATION, entropy.bytes(KEY_BYTES))
    values = {each: entropy.bytes(KEY_BYTES) for each in NAMES}
    nonces = {each: entropy.bytes(NONCE_BYTES) for each in NAMES}

    # The name first and in a commit of its own: a file that a crash leaves is known by it.
    def name_it(connection: Connection) -> None:
        commit_through(connection)
        add_secrets(connection, ledger, rows={VAULT: name})

    def make(connection: Connection) -> None:
        commit_through(connection)
        vault = load_secrets(connection, ledger)[VAULT]
        wrapping = fresh if generations else Wrapping.of_master(cabinet.master)
        rows = {
            each: wrapping.wrap(values[each], nonce=nonces[each], owner=secret_owner(each))
            for each in NAMES
        }
        # Whoever else makes this vault now waits here, for the row is the same.
        add_secrets(connection, ledger, rows={WRAPPING: wrapping.name})
        if hold_name(connection, ledger) != wrapping.name:
            return
        add_secrets(connection, ledger, rows=rows)
        if wrapping.generation != DERIVED:
            cabinet.prepare(wrapping, beside=(), vault=vault)

    await database.run(name_it)
    await database.run(make)
