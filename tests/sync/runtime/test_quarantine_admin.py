import hashlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from ledger.ledger import Ledger
from ledger.reference import Json
from sync.errors import InputError
from sync.runtime.ingest_ledger import LedgerIngest
from sync.runtime.quarantine_admin import quarantine_page, quarantine_release, quarantine_show
from sync.sources.event_reader import Rules
from tests.sync.runtime.ledgers import open_ledger, types_of
from tests.sync.runtime.test_ingest_ledger import PDF, bring, certificate
from tests.sync.sources.builders import line

EMAIL_ID = "ada@example.org"


async def ids(ledger: Ledger) -> list[str]:
    return [str(row["id"]) for row in (await quarantine_page(ledger)).rows]


def codes(answer: dict[str, Json]) -> list[str]:
    reasons = answer["reasons"]
    assert isinstance(reasons, list)
    return [str(each["code"]) for each in reasons if isinstance(each, dict)]


def fields_of(answer: Mapping[str, Json]) -> list[str]:
    reasons = answer["reasons"]
    assert isinstance(reasons, list)
    return [str(each["field"]) for each in reasons if isinstance(each, dict)]


async def test_the_name_of_an_unknown_field_is_sealed_and_shown_to_the_operator(home: Path) -> None:
    async with open_ledger(home) as ledger:
        await bring(ledger, home, line(1, data={"nam": "x"}))
        (row,) = (await quarantine_page(ledger)).rows
        shown = await quarantine_show(ledger, str(row["id"]))
        again = await quarantine_release(ledger, str(row["id"]), rules=Rules())
        position = int(str(shown["position"]))
        event = (await ledger.events_at([position]))[position]

    assert "nam" in fields_of(row)[0]
    assert fields_of(row) == fields_of(shown) == fields_of(again)
    assert fields_of(event.public)[0] == "data"


async def test_the_list_says_what_was_refused_where_why_and_how_often(home: Path) -> None:
    async with open_ledger(home) as ledger:
        for _ in range(3):
            await bring(ledger, home, line(1), line(2, data={"nam": "x"}), b"{bad\n")
        page = await quarantine_page(ledger)

    assert page.next is None
    assert [{**row, "id": "", "reasons": codes(row)} for row in page.rows] == [
        {
            "id": "",
            "source": "urn:sis:demo",
            "line": 2,
            "type": "course.upserted",
            "subject": "R-2",
            "reasons": ["unknown"],
            "count": 3,
        },
        {
            "id": "",
            "source": "events.jsonl",
            "line": 3,
            "type": "",
            "subject": "",
            "reasons": ["json"],
            "count": 3,
        },
    ]


async def test_pages_follow_one_another(home: Path) -> None:
    async with open_ledger(home) as ledger:
        await bring(ledger, home, b"{1\n", b"{2\n", b"{3\n")
        first = await quarantine_page(ledger, limit=2)
        assert first.next is not None
        second = await quarantine_page(ledger, after=first.next, limit=2)

    assert [row["line"] for row in (*first.rows, *second.rows)] == [1, 2, 3]


async def test_a_line_is_shown_whole(home: Path) -> None:
    async with open_ledger(home) as ledger:
        await bring(ledger, home, b'{"odd": \xff\n')
        shown = await quarantine_show(ledger, (await ids(ledger))[0])

    assert (shown["state"], shown["raw"]) == ("refused", '{"odd": \ufffd')


async def test_an_unknown_id_names_the_list(home: Path) -> None:
    async with open_ledger(home) as ledger:
        with pytest.raises(InputError, match="quarantine list"):
            await quarantine_show(ledger, "nothing")


async def test_a_line_is_let_in_once_a_setting_allows_it(home: Path) -> None:
    async with open_ledger(home) as ledger:
        await bring(ledger, home, line(1, "student.upserted", subject=EMAIL_ID))
        identifier = (await ids(ledger))[0]
        before = await quarantine_release(ledger, identifier, rules=Rules())
        after = await quarantine_release(
            ledger, identifier, rules=Rules(allow_email_ids=True), actor="registrar"
        )
        again = await quarantine_release(ledger, identifier, rules=Rules())

        assert (before["released"], codes(before)) == (False, ["email_like"])
        assert (after["released"], again["released"]) == (True, True)
        assert await types_of(ledger) == [
            "event.quarantined",
            "student.upserted",
            "quarantine.released",
        ]
        assert await ids(ledger) == []


async def test_a_certificate_is_let_in_once_its_document_was_added(home: Path) -> None:
    digest = hashlib.sha256(PDF).hexdigest()
    wanted = line(1, "certificate.requested", data={"document": {"sha256": digest}})
    async with open_ledger(home) as ledger:
        await bring(ledger, home, wanted)
        identifier = (await ids(ledger))[0]
        before = await quarantine_release(ledger, identifier, rules=Rules())
        await LedgerIngest(ledger).add_document(PDF)
        after = await quarantine_release(ledger, identifier, rules=Rules())

    assert codes(before) == ["document_unknown"]
    assert after["released"] is True


async def test_what_the_log_still_refuses_stays(home: Path) -> None:
    async with open_ledger(home) as ledger:
        await bring(ledger, home, certificate(1, PDF), certificate(2, PDF))
        identifier = (await ids(ledger))[0]
        answer = await quarantine_release(ledger, identifier, rules=Rules())

        assert (answer["released"], codes(answer)) == (False, ["document_used"])
        assert await ids(ledger) == [identifier]
