"""A host's own write and the event stand or fall together."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from ledger.errors import EventError, LedgerError
from ledger.ledger import Ledger
from ledger.log import inbox_store
from ledger.testing import ledger_in
from sync.runtime import Runtime, Settings
from sync.runtime.host_inbox import HostInbox
from sync.runtime.ingest_ledger import LedgerIngest
from sync.runtime.quarantine_admin import quarantine_page
from sync.simulator import Simulator, serve
from sync.sources.event_reader import Rules, read_line
from sync.sources.item import Item
from tests.places import settings_in
from tests.sync.runtime.hosts import Host, host_in

LINE = (
    b'{"specversion": "1.0", "id": "%s", "source": "urn:sis", "type": "institution.upserted",'
    b' "subject": "DEMO", "data": {"name": "%s", "country": "Portugal"}}'
)


def item(event_id: bytes = b"1", name: bytes = b"Demo University") -> Item:
    return read_line(LINE % (event_id, name), number=1, origin="host", folder=None, rules=Rules())


@pytest.fixture
async def host(home: Path) -> AsyncIterator[Host]:
    async with host_in(home) as there:
        yield there


async def prepared(ledger: Ledger, what: Item) -> inbox_store.Entry:
    return await HostInbox(ledger).prepare(what, documents=LedgerIngest(ledger))


async def test_what_the_host_commits_enters_the_log_once(home: Path, host: Host) -> None:
    async with ledger_in(home) as ledger:
        inbox = HostInbox(ledger)
        entry = await prepared(ledger, item())

        def write(connection: Connection) -> None:
            connection.execute(text("CREATE TABLE grades (grade TEXT)"))
            inbox.put(connection, entry)

        await host.commit(write)

        taken = [await inbox.take(), await inbox.take()]

        events = await ledger.events_at([0])
        assert taken == [1, 0]
        assert (await ledger.head()).size == 1
        assert (events[0].data or {})["name"] == "Demo University"
        assert events[0].id == "1"


async def test_what_the_host_rolls_back_never_happened(home: Path, host: Host) -> None:
    async with ledger_in(home) as ledger:
        inbox = HostInbox(ledger)
        entry = await prepared(ledger, item())
        await host.roll_back(lambda connection: inbox.put(connection, entry))

        assert await inbox.take() == 0
        assert (await ledger.head()).size == 0


async def test_the_same_event_again_is_a_duplicate_and_leaves_the_inbox(
    home: Path, host: Host
) -> None:
    async with ledger_in(home) as ledger:
        inbox = HostInbox(ledger)
        for _ in range(2):
            entry = await prepared(ledger, item())
            await host.commit(partial(inbox.put, entry=entry))

        assert await inbox.take() == 2
        assert await inbox.take() == 0
        assert (await ledger.head()).size == 1


async def test_other_content_under_a_known_id_is_kept_in_quarantine(home: Path, host: Host) -> None:
    async with ledger_in(home) as ledger:
        inbox = HostInbox(ledger)
        entries = [await prepared(ledger, item(name=name)) for name in (b"One", b"Two")]

        def write(connection: Connection) -> None:
            for entry in entries:
                inbox.put(connection, entry)

        await host.commit(write)

        await inbox.take()

        (row,) = (await quarantine_page(ledger)).rows
        assert row["type"] == "institution.upserted"
        assert await inbox.take() == 0


async def test_an_event_with_faults_is_refused_before_the_hosts_transaction(
    home: Path,
) -> None:
    broken = read_line(b'{"specversion": "1.0"}', number=1, origin="", folder=None, rules=Rules())
    async with ledger_in(home) as ledger:
        with pytest.raises(EventError, match="correct it"):
            await prepared(ledger, broken)


async def test_a_connection_without_the_recipe_is_refused_with_it(home: Path) -> None:
    async with ledger_in(home) as ledger, host_in(home, is_careless=True) as careless:
        entry = await prepared(ledger, item())

        with pytest.raises(LedgerError, match=r"isolation_level|no AUTOCOMMIT"):
            await careless.commit(lambda connection: HostInbox(ledger).put(connection, entry))


async def test_a_connection_to_another_place_is_refused(home: Path, elsewhere: Path) -> None:
    async with ledger_in(home) as ledger, host_in(elsewhere) as other:
        entry = await prepared(ledger, item())

        with pytest.raises(LedgerError, match=r"that file|another server or database"):
            await other.commit(lambda connection: HostInbox(ledger).put(connection, entry))


async def test_nothing_personal_stands_in_the_inbox(home: Path, host: Host) -> None:
    line = (
        b'{"specversion": "1.0", "id": "s", "source": "urn:sis", "type": "student.upserted",'
        b' "subject": "S-1", "data": {"name": "Marker Person", "email": "marker@example.edu",'
        b' "date_of_birth": "2001-02-03"}}'
    )
    student = read_line(line, number=1, origin="", folder=None, rules=Rules())
    async with ledger_in(home) as ledger:
        entry = await prepared(ledger, student)
        await host.commit(lambda connection: HostInbox(ledger).put(connection, entry))

        content = inbox_store.encode(entry)
        assert b"Marker" not in content
        assert inbox_store.decode(content) == entry


async def test_a_runtime_takes_in_what_its_host_committed(home: Path, host: Host) -> None:
    simulator = Simulator()
    event = {
        "specversion": "1.0",
        "id": "1",
        "source": "urn:sis",
        "type": "institution.upserted",
        "subject": "DEMO",
        "data": {"name": "Demo University", "country": "Portugal"},
    }
    async with serve(simulator) as practice:
        who = practice.tenant
        settings = Settings.load(
            environment={},
            **dict[str, Any](settings_in(home)),
            base_url=practice.url,
            tenant=who.domain,
            client_id=who.client_id,
            client_secret=who.client_secret,
        )
        async with Runtime(settings) as runtime:
            entry = await runtime.prepare(event)
            await host.commit(lambda connection: runtime.put(connection, entry))
            await runtime.idle(patience_seconds=30)

    assert [row["name"] for row in simulator.records("institutions")] == ["Demo University"]
