"""A ledger with something of everything, and all that it holds, for comparing two places."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, select

from ledger.audit.verify_store import verify
from ledger.clock import ManualClock, SeededEntropy
from ledger.home import Address
from ledger.ledger import Ledger
from ledger.log import store as log_store
from ledger.moving import row_store
from ledger.reference import Json, Scope, SourceRef
from ledger.schema.migrate import is_in_order
from ledger.schema.tables import events, inbox, leases, sightings
from sync.projector.rebuild_worker import rebuild
from sync.runtime.audit_desk import AuditDesk
from tests.sync.runtime.desk import INSTITUTION, Desk, desk_in

DOCUMENT = b"%PDF" + bytes(600_000)
STUDENTS = tuple(SourceRef("student", f"S-{number}") for number in range(3))


async def furnish(folder: Path) -> None:
    """Make a ledger in a folder in which something is settled, leased, refused and waiting."""
    async with desk_in(folder) as desk:
        await desk.university()
        await desk.settle(INSTITUTION, "done", target="uuid-1", after="live")
        for student in STUDENTS:
            data = {"email": f"{student.source_id}@example.edu", "date_of_birth": "2002-08-28"}
            await desk.tell("student.upserted", student, name="Ana Lima", **data)
        await desk.ledger.documents.add(DOCUMENT, now=desk.ledger.clock.now())
        await _refuse(desk)
        await desk.claim()
        # Whoever leased it is dead by now.
        ended = leases.update().values(until_seconds=1.0)
        await desk.ledger.database.run(lambda connection: connection.execute(ended))


async def _refuse(desk: Desk) -> None:
    public: dict[str, Json] = {"key": "ab" * 32, "reasons": [{"code": "required"}]}
    number = desk.ledger.scope.ledger

    def step(connection: Connection) -> None:
        row = {"ledger": number, "key": "ab" * 32, "count": 2}
        connection.execute(sightings.insert(), row)
        connection.execute(inbox.insert(), {"ledger": number, "prepared": b"a"})

    await desk.ledger.transact(lambda each: each.record("event.quarantined", public=public))
    await desk.ledger.database.run(step)


@dataclass(frozen=True)
class Holdings:
    """Everything that two ledgers must have in common."""

    root: str
    rows: dict[str, list[tuple[Any, ...]]]
    stories: dict[str, Any]
    opened: list[Any]
    document: bytes | None
    rebuilt: Any
    whole: Any
    in_order: list[bool]


async def holdings(address: Address) -> Holdings:
    """Return all that a ledger holds, and what it answers."""
    async with await open_at(address) as ledger:
        desk, digest = (
            AuditDesk(ledger),
            await ledger.documents.add(DOCUMENT, now=ledger.clock.now()),
        )
        stored = await ledger.read(
            lambda c: log_store.read_page(c, ledger.scope.ledger, after=-1, limit=1000)
        )
        return Holdings(
            root=(await ledger.head()).root().hex(),
            rows=await ledger.read(lambda c: _rows(c, ledger.scope)),
            stories={
                str(each): await desk.timeline(each.entity, each.source_id)
                for each in (*STUDENTS, INSTITUTION)
            },
            opened=await ledger.sealer.open(stored),
            document=await ledger.documents.get(digest),
            rebuilt=(await rebuild(ledger, check=True)).to_json(),
            whole=(await verify(ledger)).to_json(),
            in_order=[
                await ledger.read(partial(is_in_order, line="main")),
                await ledger.vault.database.read(partial(is_in_order, line="vault")),
            ],
        )


def _rows(connection: Connection, scope: Scope) -> dict[str, list[tuple[Any, ...]]]:
    # When a lease ends is of the moment; the inbox is numbered anew.
    left_out = {leases.c.until_seconds, inbox.c.number}

    def of(table: Table) -> list[tuple[Any, ...]]:
        wanted = [column for column in table.c if column not in left_out]
        mine = (table.c[name] == value for name, value in row_store.own(table, scope).items())
        order = list(table.primary_key)
        rows = connection.execute(select(*wanted).where(*mine).order_by(*order))
        return [tuple(row) for row in rows]

    return {table.name: of(table) for table in (events, *row_store.REPLACEABLE)}


async def open_at(address: Address) -> Ledger:
    return await Ledger.open(address, clock=ManualClock(), entropy=SeededEntropy(7))
