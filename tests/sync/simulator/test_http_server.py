"""The practice service on a real socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from io import BytesIO
from typing import Any

import aiohttp
import pytest

from sync.simulator import Address, Fault, Simulator, Switches, serve, serve_forever
from tests.sync.simulator.practice import PDF

BODY = {"name": "University", "country": "Brazil"}


class Caller:
    """A client of its own, so that nothing here is read the way the product reads it."""

    def __init__(self, address: Address, session: aiohttp.ClientSession) -> None:
        self.address = address
        self.session = session
        self.headers = {"Accept": "application/json", "X-Tenant": address.tenant.domain}

    async def log_in(self) -> None:
        tenant = self.address.tenant
        form = {
            "grant_type": "client_credentials",
            "client_id": tenant.client_id,
            "client_secret": tenant.client_secret,
        }
        async with self.session.post(f"{self.address.url}/oauth/token", data=form) as response:
            token = (await response.json())["access_token"]
        self.headers["Authorization"] = f"Bearer {token}"

    async def call(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        url = f"{self.address.url}{path}"
        async with self.session.request(
            method, url, headers=self.headers, allow_redirects=False, **options
        ) as response:
            is_json = response.content_type == "application/json"
            return response.status, await response.json() if is_json else await response.read()

    async def control(self, name: str, body: object) -> None:
        url = f"{self.address.url}/_simulator/{name}"
        async with self.session.post(url, json=body) as response:
            assert response.status == 200


class WatchedSimulator(Simulator):
    """Tells when something has happened by itself."""

    def __init__(self, *faults: Fault, **switches: str) -> None:
        super().__init__(faults=faults, switches=Switches(**switches))
        self.has_happened = asyncio.Event()

    def advance(self, *, now: datetime) -> None:
        super().advance(now=now)
        if self.world.next_due is None:
            self.has_happened.set()


@asynccontextmanager
async def practising(simulator: Simulator) -> AsyncIterator[Caller]:
    async with serve(simulator) as address, aiohttp.ClientSession() as session:
        caller = Caller(address, session)
        await caller.log_in()
        yield caller


async def test_a_record_is_made_found_changed_and_deleted() -> None:
    async with practising(Simulator()) as caller:
        made, body = await caller.call("POST", "/institutions", json=BODY)
        path = f"/institutions/{body['data']['uuid']}"
        query = {"where[name]": "University", "page": "1"}
        found, listed = await caller.call("GET", "/institutions", params=query)
        changed, _ = await caller.call("PATCH", path, json={"status": "inactive"})
        deleted, rest = await caller.call("DELETE", path)

    assert (made, found, changed, deleted, rest) == (201, 200, 200, 204, b"")
    assert listed["meta"]["total"] == 1


async def test_a_plus_in_a_query_must_be_encoded() -> None:
    student = {"name": "S", "email": "a+b@example.org", "date_of_birth": "2000-01-01"}
    async with practising(Simulator()) as caller:
        await caller.call("POST", "/students", json=student)
        encoded = {"where[email]": "a+b@example.org"}
        _, found = await caller.call("GET", "/students", params=encoded)
        _, missed = await caller.call("GET", "/students?where%5Bemail%5D=a+b@example.org")

    assert (found["meta"]["total"], missed["meta"]["total"]) == (1, 0)


async def test_an_upload_arrives_whole_and_can_be_downloaded_by_anyone() -> None:
    content = PDF + bytes(range(256)) * 2_000
    form = aiohttp.FormData()
    form.add_field("files[]", content, filename="a b.pdf", content_type="application/pdf")
    async with practising(Simulator()) as caller:
        status, body = await caller.call("POST", "/files", data=form)
        url = f"{caller.address.url}/files/{body['data'][0]['uuid']}/download"
        async with caller.session.get(url) as response:
            downloaded = await response.read()

    assert (status, body["data"][0]["size"]) == (201, len(content))
    assert downloaded == content


async def test_too_large_an_upload_is_refused() -> None:
    async with practising(Simulator()) as caller:
        url = f"{caller.address.url}/files"
        status = 0
        # The service may hang up before it has taken everything in.
        with suppress(aiohttp.ClientConnectionError):
            async with caller.session.post(
                url, data=BytesIO(bytes(21 * 1024 * 1024)), headers=caller.headers
            ) as response:
                status = response.status

    assert status in {0, 413}


async def test_the_body_of_a_delete_arrives() -> None:
    async with practising(Simulator()) as caller:
        _, body = await caller.call("POST", "/institutions", json=BODY)
        uuids = {"uuids": [body["data"]["uuid"]]}
        status, _ = await caller.call("DELETE", "/institutions/batch/destroy", json=uuids)

    assert status == 204


async def test_a_caller_without_accept_is_sent_away() -> None:
    async with practising(Simulator()) as caller:
        caller.headers["Accept"] = "*/*"
        status, _ = await caller.call("GET", "/courses")

    assert status == 302


@pytest.mark.parametrize(("kind", "made"), [("cut_before", 0), ("cut_after", 1)])
async def test_a_cut_breaks_the_connection(kind: str, made: int) -> None:
    simulator = Simulator(faults=[Fault(kind=kind)])
    async with practising(simulator) as caller:
        with pytest.raises(aiohttp.ClientConnectionError):
            await caller.call("POST", "/institutions", json=BODY)

    assert len(simulator.records("institutions")) == made


@pytest.mark.parametrize("kind", ["stall_before", "stall_after"])
async def test_a_stalled_answer_comes_in_the_end(kind: str) -> None:
    simulator = Simulator(faults=[Fault(kind=kind, seconds=0.02)])
    async with practising(simulator) as caller:
        status, body = await caller.call("POST", "/institutions", json=BODY)

    assert (status, body["data"]["name"]) == (201, "University")


async def test_an_impatient_caller_leaves_the_effect_behind() -> None:
    simulator = Simulator(faults=[Fault(kind="stall_after", seconds=30)])
    patience = aiohttp.ClientTimeout(total=0.1)
    async with practising(simulator) as caller:
        with pytest.raises(asyncio.TimeoutError):
            await caller.call("POST", "/institutions", json=BODY, timeout=patience)

    assert len(simulator.records("institutions")) == 1


async def test_a_late_effect_comes_without_another_call() -> None:
    simulator = WatchedSimulator(Fault(kind="late", seconds=0.02))
    async with practising(simulator) as caller:
        with pytest.raises(aiohttp.ClientConnectionError):
            await caller.call("POST", "/institutions", json=BODY)
        await asyncio.wait_for(simulator.has_happened.wait(), timeout=5)

    assert simulator.journal.requests[-1].effect_status == 201


async def test_a_slow_issuance_ends_without_another_call() -> None:
    simulator = WatchedSimulator(issue_async_s="0.02")
    async with practising(simulator) as caller:
        uuids = {}
        for path, body in (
            ("institutions", BODY),
            ("students", {"name": "S", "email": "s@x.org", "date_of_birth": "2000-01-01"}),
        ):
            _, made = await caller.call("POST", f"/{path}", json=body)
            uuids[f"{path[:-1]}_uuid"] = made["data"]["uuid"]
        _, made = await caller.call(
            "POST", "/courses", json={"name": "C", "institution_uuid": uuids["institution_uuid"]}
        )
        uuids["course_uuid"] = made["data"]["uuid"]
        form = aiohttp.FormData()
        form.add_field("files[]", PDF, filename="a.pdf", content_type="application/pdf")
        _, made = await caller.call("POST", "/files", data=form)
        uuids["file_uuid"] = made["data"][0]["uuid"]
        await caller.call("POST", "/certificates", json={**uuids, "finish": True})
        await asyncio.wait_for(simulator.has_happened.wait(), timeout=5)

    assert simulator.records("certificates")[0]["status"] == "issued"


async def test_an_outage_is_switched_over_http() -> None:
    async with practising(Simulator()) as caller:
        await caller.control("outage", {"on": True})
        with pytest.raises(aiohttp.ClientConnectionError):
            await caller.call("GET", "/courses")
        await caller.control("outage", {"on": True, "mode": "503"})
        down, _ = await caller.call("GET", "/courses")
        await caller.control("outage", {"on": False})
        up, _ = await caller.call("GET", "/courses")

    assert (down, up) == (503, 200)


async def test_the_truth_is_read_over_http() -> None:
    async with practising(Simulator()) as caller:
        await caller.call("POST", "/institutions", json=BODY)
        _, verdict = await caller.call("GET", "/_simulator/verdict")
        _, records = await caller.call("GET", "/_simulator/records/institutions")
        _, journal = await caller.call("GET", "/_simulator/journal")

    assert verdict["is_clean"]
    assert records["data"][0]["name"] == "University"
    assert [entry["status"] for entry in journal["requests"]] == [200, 201]


async def test_a_service_can_go_away_and_come_back_with_its_records() -> None:
    simulator = Simulator()
    async with practising(simulator) as caller:
        await caller.call("POST", "/institutions", json=BODY)
        port = caller.address.port
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(f"http://127.0.0.1:{port}/courses")
        async with serve(simulator, port=port) as address:
            caller = Caller(address, session)
            await caller.log_in()
            _, listed = await caller.call("GET", "/institutions")

    assert listed["meta"]["total"] == 1


async def test_many_callers_are_served_at_once() -> None:
    simulator = Simulator()
    async with practising(simulator) as caller:
        answers = await asyncio.gather(
            *(caller.call("POST", "/institutions", json=BODY) for _ in range(100))
        )

    assert {status for status, _ in answers} == {201}
    assert len({body["data"]["uuid"] for _, body in answers}) == 100


async def test_serving_for_ever_ends_when_cancelled() -> None:
    ready: asyncio.Future[Address] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(serve_forever(Simulator(), on_ready=ready.set_result))
    address = await ready
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{address.url}/_simulator/verdict") as response:
            status = response.status
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(address.url)

    assert status == 200


def test_an_address_of_the_new_kind_is_put_in_brackets() -> None:
    assert Address("::1", 80, Simulator().tenant).url == "http://[::1]:80"
