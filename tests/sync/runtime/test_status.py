"""What `status` says of trouble: whose word it is, how old, and what keeps failing."""

from datetime import UTC, datetime
from pathlib import Path

from ledger.clock import ManualClock
from sync.cli.status import in_words
from sync.dispatcher.circuit import State
from sync.dispatcher.outage import Outage
from sync.dispatcher.pace_store import LedgerBook
from sync.dispatcher.shares import Report
from sync.runtime.page import Answer
from sync.runtime.status import status
from tests.sync.runtime.desk import INSTITUTION, Desk, desk_in

SINCE = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
NO_WRITES = Outage(State.OPEN, "writes", SINCE, "status_500", probes=3)
NO_CALLS = Outage(State.OPEN, "all", SINCE, "connect", probes=3)
UNPUBLISHED: Answer = {"checkpoint": {"why": None, "published": None}}


async def _seen(desk: Desk, outage: Outage | None) -> Answer:
    """Return the status once a write has failed, as a host told of it and 40 seconds passed."""
    await desk.university()
    await desk.settle(INSTITUTION, "uncertain", reason="uncertain")
    await LedgerBook(desk.ledger, host="north").exchange(Report(per_second_max=0), outage)
    clock = desk.ledger.clock
    assert isinstance(clock, ManualClock)
    clock.advance(40)
    return {**await status(desk.ledger), **UNPUBLISHED}


async def test_what_keeps_failing_is_named_while_an_outage_of_writes_is_assumed(
    home: Path,
) -> None:
    async with desk_in(home) as desk:
        found = await _seen(desk, NO_WRITES)
        key = await desk.key(INSTITUTION)

    outage = found["outage"]
    assert isinstance(outage, dict)
    assert outage["failing"] == [
        {
            "operation": key,
            "entity": "institution",
            "source_id": "I-1",
            "kind": "upsert",
            "attempts": 1,
        }
    ]
    words = in_words(found)
    assert f"open since {SINCE.isoformat()}: nothing is written, reads go" in words
    assert "An outage of writes is assumed, so nothing is held for it" in words
    assert "Tried in vain: institution I-1 (attempts: 1)." in words


async def test_an_outage_of_all_calls_blames_no_operation(home: Path) -> None:
    async with desk_in(home) as desk:
        found = await _seen(desk, NO_CALLS)

    outage = found["outage"]
    assert isinstance(outage, dict)
    assert "failing" not in outage
    assert "in vain" not in in_words(found)


async def test_a_hosts_word_on_the_circuit_is_shown_with_its_age(home: Path) -> None:
    async with desk_in(home) as desk:
        good = await _seen(desk, None)
        await LedgerBook(desk.ledger, host="south").exchange(Report(per_second_max=0), NO_CALLS)
        bad = {**await status(desk.ledger), **UNPUBLISHED}

    assert "closed (as north said 40 seconds ago)" in in_words(good)
    assert isinstance(bad["outage"], dict)
    assert (bad["outage"]["host"], bad["outage"]["seen_seconds_ago"]) == ("south", 0)
    assert "(as south said 0 seconds ago)" in in_words(bad)


async def test_what_this_process_sees_itself_is_nobody_elses_word(home: Path) -> None:
    async with desk_in(home) as desk:
        found = {**await status(desk.ledger, outage=NO_CALLS), **UNPUBLISHED}

    assert "(as " not in in_words(found)


async def test_a_stop_is_shown_with_its_beginning_until_a_call_of_another_host_succeeds(
    home: Path,
) -> None:
    alive = Report(per_second_max=0, has_succeeded=True)
    async with desk_in(home) as desk:
        north, south = (LedgerBook(desk.ledger, host=name) for name in ("north", "south"))
        began = desk.ledger.clock.now().isoformat()
        await north.stop("Check CLIENT_ID.")
        # What was still under way there is no sign that its credentials are right.
        await north.exchange(alive, None)
        await south.exchange(Report(per_second_max=0, passed=1), None)
        clock = desk.ledger.clock
        assert isinstance(clock, ManualClock)
        clock.advance(40)
        await LedgerBook(desk.ledger, host="east").stop("Check TENANT.")
        stopped = {**await status(desk.ledger), **UNPUBLISHED}
        await south.exchange(alive, None)
        over = {**await status(desk.ledger), **UNPUBLISHED}

    assert stopped["stopped"] == {"since": began, "why": "Check TENANT.", "host": "east"}
    assert f"nothing is sent since {began}: Check TENANT. (as east said" in in_words(stopped)
    assert over["stopped"] is None
    assert "nothing is sent" not in in_words(over)
