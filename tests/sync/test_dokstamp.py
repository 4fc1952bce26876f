"""The client and the walker against the practice service: two readings of one contract."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from ledger.clock import ManualClock
from sync.dokstamp.answer import Answer, Meaning
from sync.dokstamp.auth import ClientCredentials, Credentials, Login
from sync.dokstamp.client import Connection, DokStampClient
from sync.dokstamp.envelope import record, rows
from sync.dokstamp.exchange import Exchange
from sync.dokstamp.listing import Complete, Doubt, Listing, Unknown, walk
from sync.dokstamp.request import Request, Upload, path_of
from sync.errors import ConfigurationError
from sync.simulator import Fault, Simulator, Switches
from sync.simulator.http_server import serve

PDF = b"%PDF-1.4 practice"
COUNT = 33


@dataclass
class Session:
    """A client of the practice service, and all evidence of what it sent."""

    simulator: Simulator
    client: DokStampClient
    clock: ManualClock
    exchanges: list[Exchange] = field(default_factory=list)

    async def send(self, method: str, path: str, body: Any = None, **others: Any) -> Answer:
        request = Request(method, path, path, body=body, **others)
        answer, exchanges = await self.client.send(request)
        self.exchanges.extend(exchanges)
        return answer

    async def create(self, path: str, **body: Any) -> str:
        row = record(await self.send("POST", path, body))
        assert row is not None
        return str(row["uuid"])

    async def walk(self, path: str, *filters: tuple[str, str], page_size: int = 10) -> Listing:
        steps = walk(path, route=path, filters=filters, page_size=page_size)
        try:
            request = next(steps)
            for _ in range(1000):
                answer, exchanges = await self.client.send(request)
                self.exchanges.extend(exchanges)
                request = steps.send(answer)
        except StopIteration as end:
            listing: Listing = end.value
            return listing
        raise AssertionError("the walk has no end")


@asynccontextmanager
async def practising(
    *faults: Fault, credentials: Credentials | None = None, **switches: str
) -> AsyncIterator[Session]:
    simulator = Simulator(switches=Switches(**switches), faults=faults)
    clock = ManualClock()
    tenant = simulator.tenant
    if credentials is None:
        credentials = ClientCredentials(tenant.client_id, tenant.client_secret)
    async with serve(simulator, clock=clock.now) as address:
        connection = Connection(address.url, tenant.domain, credentials)
        async with DokStampClient(connection, clock=clock) as client:
            yield Session(simulator, client, clock)


async def make_courses(session: Session) -> str:
    institution = await session.create("/institutions", name="University", country="Brazil")
    for number in range(COUNT):
        body = {"institution_uuid": institution, "name": f"C {number}", "code": f"C{number}"}
        await session.create("/courses", **body)
    return institution


@pytest.mark.parametrize(
    "switches",
    [
        {},
        {"meta_style": "laravel"},
        {"per_page_max": "15"},
        {"default_order": "shuffled"},
        {"default_order": "shuffled", "meta_style": "laravel"},
        {"edition": "mixed"},
    ],
    ids=str,
)
async def test_a_list_is_found_whole_whatever_the_service_does(switches: dict[str, Any]) -> None:
    async with practising(**switches) as session:
        await make_courses(session)
        listing = await session.walk("/courses")
        filtered = await session.walk("/courses", ("code", "C7"))

    assert isinstance(listing, Complete)
    assert {row["code"] for row in listing.rows} == {f"C{number}" for number in range(COUNT)}
    assert isinstance(filtered, Complete)
    assert [row["code"] for row in filtered.rows] == ["C7"]


async def test_an_ignored_page_is_unknown_and_not_a_short_list() -> None:
    async with practising(page_param="ignored") as session:
        await make_courses(session)
        listing = await session.walk("/courses")

    assert isinstance(listing, Unknown)
    assert listing.reason is Doubt.PAGE_IGNORED


@pytest.mark.parametrize("unknown_filter", ["ignored", "422", "500"])
async def test_a_filter_the_service_does_not_know_costs_pages_only(unknown_filter: str) -> None:
    async with practising(unknown_filter=unknown_filter) as session:
        await make_courses(session)
        listing = await session.walk("/courses", ("no_such_column", "x"))

    assert isinstance(listing, Complete)
    assert len(listing.rows) == COUNT


async def test_a_page_size_that_is_refused_is_made_smaller() -> None:
    async with practising(per_page_max="422") as session:
        await make_courses(session)
        listing = await session.walk("/courses", page_size=200)

    assert isinstance(listing, Complete)
    assert len(listing.rows) == COUNT


@pytest.mark.parametrize("nested_lists", ["paginated", "all"])
@pytest.mark.parametrize("count", [9, 10, 11])
async def test_a_nested_list_is_found_whole(nested_lists: str, count: int) -> None:
    async with practising(nested_lists=nested_lists) as session:
        institution = await session.create("/institutions", name="University", country="Brazil")
        course = await session.create("/courses", institution_uuid=institution, name="Course")
        for number in range(count):
            await session.create("/modules", institution_uuid=institution, name=f"M{number}")
        listing = await session.walk(path_of("courses", course, "attach", "modules"))

    assert isinstance(listing, Complete)
    assert len(listing.rows) == count


async def test_a_student_with_a_plus_in_the_address_is_found() -> None:
    student = {"name": "Ana", "email": "ana+x@example.org", "date_of_birth": "2000-01-01"}

    async with practising() as session:
        uuid = await session.create("/students", **student)
        listing = await session.walk("/students", ("email", "ana+x@example.org"))

    assert isinstance(listing, Complete)
    assert [row["uuid"] for row in listing.rows] == [uuid]


async def test_the_body_of_a_delete_takes_effect() -> None:
    async with practising() as session:
        institution = await session.create("/institutions", name="University", country="Brazil")
        course = await session.create("/courses", institution_uuid=institution, name="Course")
        module = await session.create("/modules", institution_uuid=institution, name="Module")
        attached = {"modules": [{"uuid": module, "order": 1}]}
        await session.send("POST", f"/courses/{course}/attach/modules", attached)
        before = await session.walk(f"/courses/{course}/attach/modules")
        path = f"/courses/{course}/detach/modules"
        answer = await session.send("DELETE", path, {"modules": [module]})
        after = await session.walk(f"/courses/{course}/attach/modules")

    assert answer.meaning is Meaning.DONE
    assert isinstance(before, Complete)
    assert isinstance(after, Complete)
    assert (len(before.rows), len(after.rows)) == (0, 1)


async def test_a_file_is_uploaded_whole() -> None:
    async with practising() as session:
        answer = await session.send("POST", "/files", upload=Upload("diploma.pdf", PDF))

    files = rows(answer)
    assert files is not None
    assert [file["size"] for file in files] == [len(PDF)]


FAULTS = [
    Fault(kind=kind, method="any", probability=0.4, seconds=0.0)
    for kind in (
        "error_before",
        "error_after",
        "cut_before",
        "cut_after",
        "html_before",
        "html_after",
        "stall_after",
        "throttle",
        "expire_tokens",
    )
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault.kind))
async def test_the_service_sees_as_many_requests_as_there_is_evidence_of(fault: Fault) -> None:
    async with practising(fault) as session:
        for number in range(12):
            body = {"name": f"University {number}", "country": "Brazil"}
            answer = await session.send("POST", "/institutions", body)
            row = record(answer)
            uuid = "U-1" if row is None else row["uuid"]
            await session.send("GET", f"/institutions/{uuid}")
            await session.send("PATCH", f"/institutions/{uuid}", {"status": "inactive"})
            await session.send("DELETE", f"/institutions/{uuid}")

    seen = [(entry.method, entry.path) for entry in session.simulator.journal.requests]
    assert seen == [(exchange.method, exchange.route) for exchange in session.exchanges]


async def test_an_effect_whose_answer_was_lost_is_uncertain_and_not_repeated() -> None:
    async with practising(Fault(kind="cut_after", nth=1)) as session:
        body = {"name": "University", "country": "Brazil"}
        answer = await session.send("POST", "/institutions", body)

    assert answer.meaning is Meaning.UNCERTAIN
    assert len(session.simulator.records("institutions")) == 1


@pytest.mark.parametrize(("mode", "status"), [("cut", None), ("503", 503)])
async def test_an_outage_leaves_reads_unavailable(mode: str, status: int | None) -> None:
    async with practising() as session:
        await session.send("GET", "/courses")
        session.simulator.start_outage(mode)
        answer = await session.send("GET", "/courses")

    assert (answer.meaning, answer.status) == (Meaning.UNAVAILABLE, status)


async def test_a_token_that_became_void_is_replaced_once() -> None:
    async with practising(Fault(kind="expire_tokens", method="any", nth=2)) as session:
        first = await session.send("GET", "/courses")
        second = await session.send("GET", "/courses")

    assert (first.meaning, second.meaning) == (Meaning.DONE, Meaning.DONE)
    assert [exchange.status for exchange in session.exchanges] == [200, 200, 401, 200, 200]


async def test_the_older_way_in_refreshes_its_session() -> None:
    tenant = Simulator().tenant
    async with practising(
        edition="old", credentials=Login(tenant.email, tenant.password)
    ) as session:
        await session.send("GET", "/courses")
        session.clock.advance(31_536_000)
        answer = await session.send("GET", "/courses")

    assert answer.meaning is Meaning.DONE
    assert [exchange.route for exchange in session.exchanges] == [
        "/auth/login",
        "/courses",
        "/auth/refresh",
        "/courses",
    ]


@pytest.mark.parametrize(
    ("edition", "credentials", "setting"),
    [
        ("new", ClientCredentials("practice-university-client", "no"), "DOKSTAMP_CLIENT_SECRET"),
        ("old", Login("a@example.org", "no"), "DOKSTAMP_PASSWORD"),
        ("old", ClientCredentials("a", "no"), "DOKSTAMP_AUTH_MODE"),
    ],
)
async def test_a_way_in_that_is_refused_is_tried_once(
    edition: str, credentials: Credentials, setting: str
) -> None:
    async with practising(edition=edition, credentials=credentials) as session:
        for _ in range(3):
            with pytest.raises(ConfigurationError, match=setting):
                await session.send("GET", "/courses")

    assert len(session.simulator.journal.requests) == 1


async def test_a_wrong_tenant_is_told_by_401_or_404() -> None:
    async with practising() as session:
        elsewhere = replace(session.client._connection, tenant="nowhere")
        async with DokStampClient(elsewhere, clock=session.clock) as stranger:
            answer, _ = await stranger.send(Request("GET", "/courses", "/courses"))

    assert answer.meaning in {Meaning.UNAUTHORISED, Meaning.MISSING}


async def test_a_rate_limit_says_how_long_to_wait() -> None:
    async with practising(rate_limit="3") as session:
        answers = [await session.send("GET", "/courses") for _ in range(5)]

    assert answers[-1].meaning is Meaning.THROTTLED
    assert (answers[-1].retry_after_seconds or 0) > 0
