import json
import signal
import subprocess
import sys
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from ledger.errors import LedgerError
from ledger.testing import SERVED
from sync.errors import InputError
from sync.runtime.runtime import LETTERS_IN_LOOP_MAX, Runtime
from sync.simulator import Simulator, http_server
from tests.places import settings_in
from tests.sync.system.practice import settings_for
from tests.sync.system.soak.restarts import living
from tests.sync.system.university import diploma, events

LIVES = 48
[INSTITUTION] = events([("institution.upserted", "U", {"name": "Demo", "country": "Brazil"})])


@asynccontextmanager
async def runtime_in(folder: Path, **settings: Any) -> AsyncIterator[Runtime]:
    async with (
        http_server.serve(Simulator()) as address,
        Runtime(settings_for(folder, address, **settings)) as runtime,
    ):
        yield runtime


async def test_an_event_is_taken_once(home: Path) -> None:
    async with runtime_in(home) as runtime:
        first = await runtime.record(INSTITUTION)
        second = await runtime.record(INSTITUTION)
        other = await runtime.record({**INSTITUTION, "data": {"name": "X", "country": "Y"}})

    assert (first.is_taken, first.is_duplicate, first.reasons) == (True, False, ())
    assert (second.is_taken, second.is_duplicate, second.reasons) == (False, True, ())
    assert (other.is_taken, other.is_duplicate) == (False, False)
    assert other.reasons


async def test_a_refused_event_is_kept_with_every_reason(home: Path) -> None:
    async with runtime_in(home) as runtime:
        recorded = await runtime.record({**INSTITUTION, "data": {"nme": "Demo", "country": 7}})
        status = await runtime.status()

    fields = {"data.name", "data.nme", "data.country"}
    assert {each.exact_field for each in recorded.reasons} >= fields
    assert status["quarantine"] == 1


async def test_numbers_keep_every_digit(home: Path) -> None:
    data = {"student_id": "S", "course_id": "C", "enrolled_at": "2024-02-01", "grade": 8.15}
    [event] = events([("enrollment.upserted", "E", data)])
    async with runtime_in(home) as runtime:
        recorded = await runtime.record(event)
        [position] = [
            each["position"]
            for each in await runtime.timeline("enrollment", "E")
            if each["type"] == "enrollment.upserted"
        ]
        told = await runtime.ledger.events_at([int(str(position))])

    assert recorded.is_taken
    assert [(each.data or {})["grade"] for each in told.values()] == ["8.15"]


@pytest.mark.parametrize("name", ["half \ud800 a pair", "nul \x00"])
async def test_text_that_is_none_goes_to_quarantine(home: Path, name: str) -> None:
    async with runtime_in(home) as runtime:
        recorded = await runtime.record({**INSTITUTION, "data": {"name": name, "country": "B"}})

    assert not recorded.is_taken
    assert recorded.reasons


async def test_what_json_cannot_say_is_the_hosts_to_mend(home: Path) -> None:
    async with runtime_in(home) as runtime:
        with pytest.raises(InputError, match="as text"):
            await runtime.record({**INSTITUTION, "time": object()})


async def test_the_whole_way_from_an_event_to_its_story(home: Path) -> None:
    async with runtime_in(home) as runtime:
        await runtime.record(INSTITUTION)
        rest = await runtime.idle(patience_seconds=30)
        status = await runtime.status()
        story = await runtime.timeline("institution", "U")
        health = runtime.health()

    assert (rest.waiting, rest.uncertain, status["bindings"]) == (0, 0, {"institution": 1})
    assert story[0]["type"] == "institution.upserted"
    assert (health.is_healthy, health.circuit, len(health.services)) == (True, "closed", 6)


async def test_files_and_documents_come_in(home: Path) -> None:
    file = home / "events.jsonl"
    file.write_text('{"specversion": "1.0"}\n')
    async with runtime_in(home) as runtime:
        report = await runtime.ingest([file])
        sha256 = await runtime.add_document(diploma(1))
        content = await runtime.ledger.documents.get(sha256)

    assert (report.lines, report.quarantined) == (1, 1)
    assert content == diploma(1)


async def test_an_event_may_bring_a_large_document(home: Path) -> None:
    content = diploma(1) + b"%" * LETTERS_IN_LOOP_MAX
    data = {
        "institution_id": "U", "student_id": "S", "course_id": "C", "issued_at": "2026-01-15",
        "document": {"content_base64": b64encode(content).decode()},
    }  # fmt: skip
    async with runtime_in(home) as runtime:
        recorded = await runtime.record(events([("certificate.requested", "D", data)])[0])
        stored = await runtime.ledger.documents.get(sha256(content).hexdigest())

    assert recorded.is_taken
    assert stored == content


async def test_outside_its_context_a_runtime_says_how_to_use_it(home: Path) -> None:
    async with runtime_in(home) as runtime:
        pass

    with pytest.raises(LedgerError, match="async with Runtime"):
        await runtime.record(INSTITUTION)


async def test_lives_cancelled_at_any_moment_leave_nothing(home: Path) -> None:
    # On a server everything costs more. `scripts/soak --restarts 1000` goes on for longer.
    times = LIVES // 2 if (home / SERVED).exists() else LIVES
    async with living(home) as lives:
        await lives.go_through(times)
    balance = lives.balance

    assert balance.faults == []
    assert balance.after == balance.before
    assert balance.cancelled.total() > times // 4


RECORD = """
import asyncio, json, os, signal, sys
from sync.runtime.runtime import LETTERS_IN_LOOP_MAX, Runtime
from sync.runtime.settings import Settings

async def main():
    settings = Settings.load(environment={}, **json.loads(sys.argv[1]), tenant="t",
        client_id="c", client_secret="s", base_url="http://127.0.0.1:9", durability="full")
    async with Runtime(settings) as runtime:
        await runtime.record(json.loads(sys.argv[2]))
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_what_was_recorded_outlives_the_process(home: Path) -> None:
    done = subprocess.run(  # noqa: ASYNC221 - nothing else runs meanwhile
        [sys.executable, "-c", RECORD, json.dumps(settings_in(home)), json.dumps(INSTITUTION)],
        cwd=Path(__file__).parents[3],
        check=False,
        timeout=60,
    )
    async with runtime_in(home) as runtime:
        again = await runtime.record(INSTITUTION)
        story = await runtime.audit.timeline("institution", "U")

    assert done.returncode == -signal.SIGKILL
    assert again.is_duplicate
    assert story
