"""Brings a ledger's databases to this program's version, while nobody works with an older one.

A host that is at work knows the tables as they were when it began. What it went on to write into
migrated ones would not be what a rebuild makes of the same log.
"""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from ledger.database import Database
from ledger.errors import LedgerBusyError
from ledger.schema.migrate import head, is_in_order, keep_others_out, upgrade, version
from ledger.schema.revisions import Line

ATTEMPTS_MAX: Final = 10
PAUSE_SECONDS: Final = 0.5
"""Another host that migrates is waited for: most migrations take a moment."""


@dataclass(frozen=True, slots=True)
class Migrated:
    """A database that was of an earlier version."""

    line: Line
    before: str
    after: str


async def migrate(
    main: Database, vault: Database, *, attempts_max: int = ATTEMPTS_MAX
) -> tuple[Migrated, ...]:
    """Make or migrate the tables of both databases; returns which of them were old.

    Raises `LedgerBusyError` while a host, a `rebuild` or another migration is at work on a ledger
    that is old, after a few seconds of waiting. Commands that only append are not seen: what they
    wrote in the old way the next `rebuild` puts right.
    """
    async with AsyncExitStack() as held:
        for attempt in range(attempts_max):
            if not (await _is_old(main, "main") or await _is_old(vault, "vault")):
                break
            try:
                await held.enter_async_context(main.undisturbed())
                break
            except LedgerBusyError as error:
                if attempt == attempts_max - 1:
                    raise _at_work(error) from error
            await asyncio.sleep(PAUSE_SECONDS)
        done = [await _migrate(vault, "vault"), await _migrate(main, "main")]
    return tuple(each for each in done if each is not None)


def _at_work(error: LedgerBusyError) -> LedgerBusyError:
    message = (
        f"the ledger has to be migrated, and could not be had alone ({error}): stop every host and "
        "every command that works with it in its old version, or let another one migrate it; "
        "then do this again"
    )
    return LedgerBusyError(message)


async def _is_old(database: Database, line: Line) -> bool:
    def is_old(connection: Connection) -> bool:
        return version(connection, line) not in {None, head(line)}

    return await database.is_there() and await database.read(is_old)


async def _migrate(database: Database, line: Line) -> Migrated | None:
    # Asked first: a host that starts often would write each time for nothing.
    if await database.is_there() and await database.read(lambda c: is_in_order(c, line)):
        return None

    def bring(connection: Connection) -> str | None:
        keep_others_out(connection)
        before = version(connection, line)
        upgrade(connection, line)
        return before

    before, after = await database.run(bring), head(line)
    return None if before in {None, after} else Migrated(line, before, after)
