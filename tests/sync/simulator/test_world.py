"""What faults do to calls, and what happens later by itself."""

from datetime import timedelta
from random import Random

import pytest

from sync.simulator import Fault, SimulatedRequest, World
from tests.sync.simulator.practice import PDF, START, Practice, decoded

BODY = {"name": "University", "country": "Brazil"}


def _post(fault: Fault) -> tuple[Practice, int, int]:
    """Post under a fault; return the status seen and the records made."""
    practice = Practice(fault)
    response = practice.call("POST", "/institutions", BODY)
    status = 0 if response.cut else response.status
    return practice, status, len(practice.simulator.records("institutions"))


@pytest.mark.parametrize(
    ("fault", "status", "made"),
    [
        (Fault(kind="error_before"), 500, 0),
        (Fault(kind="error_before", status=503), 503, 0),
        (Fault(kind="error_after"), 500, 1),
        (Fault(kind="error_after", status=502), 502, 1),
        (Fault(kind="cut_before"), 0, 0),
        (Fault(kind="cut_after"), 0, 1),
        (Fault(kind="html_before"), 200, 0),
        (Fault(kind="html_after"), 200, 1),
        (Fault(kind="stall_after", seconds=7), 201, 1),
        (Fault(kind="throttle"), 429, 0),
        (Fault(kind="expire_tokens"), 401, 0),
        (Fault(kind="late"), 0, 0),
    ],
)
def test_a_fault_shows_one_thing_and_does_another(fault: Fault, status: int, made: int) -> None:
    practice, seen, records = _post(fault)

    entry = practice.simulator.journal.requests[-1]
    assert (seen, records) == (status, made)
    assert entry.fault == fault.kind
    assert entry.status == (status or None)
    assert entry.effect_status == (201 if made else None)


@pytest.mark.parametrize(
    ("hint", "value"),
    [("none", None), ("seconds", "30"), ("date", "Thu, 01 Jan 2026 00:00:30 GMT")],
)
def test_a_throttled_call_may_say_when_to_come_back(hint: str, value: str | None) -> None:
    practice = Practice(Fault(kind="throttle", retry_after=hint, seconds=30))

    response = practice.call("POST", "/institutions", BODY)

    assert response.headers.get("Retry-After") == value


def test_a_page_in_place_of_an_answer_is_not_json() -> None:
    practice = Practice(Fault(kind="html_before", method="any"))

    response = practice.call("GET", "/courses")

    assert (response.status, response.body[:9]) == (200, b"<!DOCTYPE")


def test_a_late_effect_comes_when_its_time_has_come() -> None:
    practice, _, before = _post(Fault(kind="late", seconds=30, nth=1))

    practice.wait(29)
    early = len(practice.simulator.records("institutions"))
    practice.wait(1)
    rows = practice.simulator.records("institutions")

    assert (before, early, len(rows)) == (0, 0, 1)
    assert rows[0]["created_at"] == "2026-01-01T00:00:30.000000Z"
    assert practice.simulator.journal.requests[-1].effect_status == 201


def test_a_late_effect_is_in_place_before_the_next_call_is_answered() -> None:
    practice, _, _ = _post(Fault(kind="late", seconds=30, nth=1))
    practice.now += timedelta(seconds=31)

    assert practice.get("/institutions")["meta"]["total"] == 1


def test_a_late_certificate_is_stopped_by_its_used_file() -> None:
    practice = Practice(Fault(kind="late", path="/certificates", nth=1, seconds=30))
    fields = {**practice.graduate(), "finish": True}

    first = practice.call("POST", "/certificates", fields)
    second = practice.call("POST", "/certificates", fields)
    practice.wait(30)

    assert (first.cut, second.status) == (True, 201)
    assert len(practice.simulator.records("certificates")) == 1
    assert practice.simulator.verdict().notifications == 1


def test_a_stalled_call_takes_effect_and_answers_after_the_wait() -> None:
    practice = Practice(Fault(kind="stall_before", seconds=20, nth=1))

    response = practice.call("POST", "/institutions", BODY)
    before = len(practice.simulator.records("institutions"))
    practice.now += timedelta(seconds=response.stall_seconds)
    assert response.ticket is not None
    answer = practice.simulator.collect(response.ticket, now=practice.now)

    assert (response.stall_seconds, before, answer.status) == (20, 0, 201)
    assert practice.simulator.journal.requests[-1].status == 201
    assert practice.simulator.collect(response.ticket, now=practice.now).cut


def test_a_stalled_call_takes_effect_even_when_nobody_waits() -> None:
    practice = Practice(Fault(kind="stall_before", seconds=20, nth=1))
    practice.call("POST", "/institutions", BODY)

    practice.wait(20)

    assert len(practice.simulator.records("institutions")) == 1


def test_the_world_tells_when_something_is_due() -> None:
    practice = Practice(issue_async_s="45")
    quiet = practice.simulator.world.next_due

    practice.certificate()

    assert quiet is None
    assert practice.simulator.world.next_due == START + timedelta(seconds=45)


def test_faults_and_switches_can_be_changed_while_running() -> None:
    practice = Practice()
    practice.simulator.set_faults(Fault(kind="error_before", nth=1))
    first = practice.call("POST", "/institutions", BODY).status
    practice.simulator.set_faults()
    practice.simulator.set_switches(write_status="200", fault_injection="error_after:nth=2")

    rest = [practice.call("POST", "/institutions", BODY).status for _ in range(2)]

    assert (first, rest) == (500, [200, 500])


def test_the_same_seed_and_calls_give_the_same_bytes() -> None:
    def play() -> list[bytes]:
        practice = Practice(Fault(kind="error_after", probability=0.3))
        return [practice.call("POST", "/institutions", BODY).body for _ in range(20)]

    assert play() == play()


def test_time_and_dice_come_from_outside() -> None:
    world = World()
    request = SimulatedRequest("GET", "/nowhere")

    response = world.handle(request, now=START, rng=Random(3))

    assert response.status == 404
    assert world.journal.requests[0].at == START


def test_uploads_are_struck_like_other_writes() -> None:
    practice = Practice(Fault(kind="cut_after", path="/files"))

    response = practice.upload(PDF)

    assert response.cut
    assert decoded(practice.call("GET", "/files"))["meta"]["total"] == 1
