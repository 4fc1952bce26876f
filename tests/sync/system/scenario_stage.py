"""A stage for short histories: a few events, a sync, and a look at what DokStamp was asked for."""

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ledger.mapping import store as mapping_store
from ledger.mapping.binding import Binding
from ledger.outbox import look_store
from ledger.outbox import store as outbox_store
from ledger.outbox.operation import Operation, State
from ledger.reference import SourceRef, TargetId
from sync.projector.rebuild_worker import rebuild
from sync.runtime.decisions import Selection, Verb, decide
from sync.runtime.ingest_ledger import LedgerIngest
from sync.runtime.mapping_admin import bind, release
from sync.runtime.sync_run import SyncReport, run_sync
from sync.simulator import Fault, SimulatedRequest, Simulator
from sync.sources.event_reader import read_events
from sync.sources.ingest_report import IngestReport
from sync.sources.ingest_worker import ingest
from tests.sync.system.practice import Practice, log_faults, practising

SOURCE = "urn:sis:scenario"
OPEN = (State.BLOCKED, State.READY, State.LEASED, State.UNCERTAIN, State.HELD, State.DEAD)
Event = dict[str, Any]
Row = dict[str, Any]


class Dashboard:
    """Somebody who works in DokStamp by hand, beside us."""

    def __init__(self, practice: Practice) -> None:
        self._practice = practice
        self._token = ""

    def make(self, path: str, **body: object) -> str:
        """Make a record and return its uuid."""
        answer = self._send("POST", path, body)
        return str(answer["data"]["uuid"])

    def change(self, path: str, **body: object) -> None:
        """Change a record."""
        self._send("PATCH", path, body)

    def delete(self, path: str) -> None:
        """Delete a record."""
        self._send("DELETE", path, {})

    def attach(self, course: str, **attachment: object) -> None:
        """Attach a module."""
        self._send("POST", f"/courses/{course}/attach/modules", {"modules": [attachment]})

    def _send(self, method: str, path: str, body: object) -> Any:
        tenant = self._practice.simulator.tenant
        if not self._token:
            words = f"client_id={tenant.client_id}&client_secret={tenant.client_secret}"
            content = f"grant_type=client_credentials&{words}".encode()
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            self._token = self._handle("POST", "/oauth/token", content, form)["access_token"]
        headers = {"Authorization": f"Bearer {self._token}", "X-Tenant": tenant.domain}
        return self._handle(method, path, json.dumps(body).encode(), headers)

    def _handle(self, method: str, path: str, content: bytes, headers: dict[str, str]) -> Any:
        usual = {
            "User-Agent": "by hand",
            "Accept": "application/json",
            "Content-Type": "application/json",
        }
        request = SimulatedRequest(
            method, path, query=(), headers={**usual, **headers}, body=content
        )
        now = self._practice.ledger.clock.now()
        answer = self._practice.simulator.handle(request, now=now)
        assert answer.status < 300, (method, path, answer.status)
        return answer.decoded() if answer.body else None


class Scene:
    """A ledger and its practice DokStamp, with words for what a history does and shows."""

    def __init__(self, practice: Practice) -> None:
        self._practice = practice
        self.dashboard = Dashboard(practice)
        self._told = 0
        self._heard = 0
        self._written = 0

    @property
    def simulator(self) -> Simulator:
        return self._practice.simulator

    async def ingest(self, *told: Event) -> IngestReport:
        """Bring events in, as one run."""
        file = self._practice.folder / f"scene-{self._told}.jsonl"
        lines = []
        for event in told:
            self._told += 1
            lines.append(json.dumps({"id": f"s-{self._told}", **event}) + "\n")
        file.write_text("".join(lines))
        reading = read_events([str(file)], rules=self._practice.settings.intake())
        return await ingest(reading, LedgerIngest(self._practice.ledger), name="scene")

    async def sync(self) -> SyncReport:
        """Run `sync` once; `calls` and `writes` tell of it afterwards."""
        self._heard = len(self.simulator.journal.requests)
        self._written = len(self.simulator.journal.writes)
        return await run_sync(self._practice.ledger, self._practice.settings)

    async def tell(self, *told: Event) -> int:
        """Bring events in, synchronise, and return how that would exit."""
        report = await self.ingest(*told)
        assert report.quarantined == 0, report
        return int((await self.sync()).exit)

    @property
    def calls(self) -> list[str]:
        """What the last sync sent that could change anything: method and route."""
        sent = list(self.simulator.journal.requests)[self._heard :]
        return [
            f"{each.method} {_route(each.path)}"
            for each in sent
            if each.method != "GET" and not each.path.startswith("/oauth")
        ]

    @property
    def writes(self) -> list[tuple[str, str, tuple[str, ...]]]:
        """What the last sync changed: the table, what happened, and which fields."""
        written = list(self.simulator.journal.writes)[self._written :]
        return [(each.table, each.action, tuple(sorted(each.fields))) for each in written]

    def rows(self, table: str, **having: object) -> list[Row]:
        """Return the stored records that have these values."""
        rows = self.simulator.records(table)
        return [row for row in rows if all(row[name] == each for name, each in having.items())]

    def row(self, table: str, **having: object) -> Row:
        """Return the only stored record that has these values."""
        rows = self.rows(table, **having)
        assert len(rows) == 1, f"{len(rows)} {table}"
        return rows[0]

    async def binding(self, entity: str, source_id: str) -> Binding:
        """Return what the mapping knows of a record."""
        scope = self._practice.ledger.scope
        found = await self._practice.ledger.read(
            lambda c: mapping_store.find(c, scope, reference=SourceRef(entity, source_id))
        )
        assert found is not None, f"{entity} {source_id} is not bound"
        return found

    async def uuid(self, entity: str, source_id: str) -> str:
        """Return the uuid that stands for a record."""
        return str((await self.binding(entity, source_id)).target)

    async def operations(self) -> list[Operation]:
        """Return every operation, whatever became of it."""
        scope = self._practice.ledger.scope
        return await self._practice.ledger.read(
            lambda c: outbox_store.read_page(c, scope, states=list(State), limit=1000)
        )

    async def open(self) -> dict[str, str]:
        """Return what is not settled: the record and kind, its state and reason."""
        return {
            f"{each.reference.source_id} {each.kind}": f"{each.state.value} {each.reason}".strip()
            for each in await self.operations()
            if each.state in OPEN and each.reason != look_store.REASON
        }

    async def concerns(self, source_id: str) -> set[str]:
        """Return whom the open operations of a record name beside itself."""
        return {
            other.source_id
            for each in await self.operations()
            if each.reference.source_id == source_id and each.state in OPEN
            for other in each.concerns
        }

    async def decide(self, verb: Verb, *source_ids: str, reason: str | None = None) -> int:
        """Approve, retry or discard, and return how many operations that were."""
        found = [each for each in await self.operations() if each.state in OPEN]
        keys = tuple(each.key for each in found if each.reference.source_id in source_ids)
        selection = Selection(keys, reason=reason)
        return len(await decide(self._practice.ledger, verb, selection))

    async def bind(self, entity: str, source_id: str, uuid: str) -> None:
        """Bind a record by hand."""
        await bind(self._practice.ledger, SourceRef(entity, source_id), TargetId(uuid))

    async def release(self, entity: str, source_id: str) -> None:
        """Let go of a record's uuid."""
        await release(self._practice.ledger, SourceRef(entity, source_id))

    async def faults(self) -> list[str]:
        """Tell what does not hold at the end of any history; sends nothing."""
        found = [f"{name}: {n}" for name, n in self.simulator.verdict().faults.items()]
        report = await rebuild(self._practice.ledger, check=True)
        if report.first_difference is not None:
            found.append(f"rebuild: {report.first_difference}")
        before = await self.open()
        again = await self.sync()
        found += [f"a second sync sent {call}" for call in self.calls]
        if await self.open() != before:
            found.append(f"a second sync moved {before} to {await self.open()}")
        if again.uncertain:
            found.append("something is in doubt")
        return found + await log_faults(self._practice.ledger)


@asynccontextmanager
async def staged(
    folder: Path, *, faults: Iterable[Fault] = (), **settings: Any
) -> AsyncIterator[Scene]:
    """Give an empty ledger and an empty practice DokStamp."""
    async with practising(folder, faults=faults, **settings) as practice:
        yield Scene(practice)


def _route(path: str) -> str:
    parts = path.strip("/").split("/")
    return "/" + "/".join("*" if "-" in part and len(part) == 36 else part for part in parts)
