"""Which calls a fault strikes."""

from random import Random

import pytest

from sync.errors import InputError
from sync.simulator import Fault, SimulatedRequest, parse_faults
from sync.simulator.faults import KINDS, FaultEngine, read_fault

POST = SimulatedRequest("POST", "/courses")
GET = SimulatedRequest("GET", "/courses")


def _struck(fault: Fault, *requests: SimulatedRequest) -> list[int]:
    engine, dice = FaultEngine([fault]), Random(1)
    return [number for number, request in enumerate(requests, 1) if engine.choose(request, dice)]


@pytest.mark.parametrize(
    ("fault", "struck"),
    [
        (Fault(kind="cut_after"), [1, 2, 3, 4, 5, 6]),
        (Fault(kind="cut_after", nth=3), [3]),
        (Fault(kind="cut_after", every=2), [2, 4, 6]),
        (Fault(kind="cut_after", every=2, times=2), [2, 4]),
        (Fault(kind="cut_after", times=1), [1]),
        (Fault(kind="cut_after", probability=0.0), []),
        (Fault(kind="cut_after", probability=1.0), [1, 2, 3, 4, 5, 6]),
    ],
)
def test_a_fault_strikes_the_chosen_calls(fault: Fault, struck: list[int]) -> None:
    assert _struck(fault, *[POST] * 6) == struck


def test_only_writes_are_struck_and_counted_unless_told_otherwise() -> None:
    calls = (GET, POST, GET, POST)

    assert _struck(Fault(kind="throttle", nth=2), *calls) == [4]
    assert _struck(Fault(kind="throttle", nth=2, method="any"), *calls) == [2]
    assert _struck(Fault(kind="throttle", method="GET"), *calls) == [1, 3]


def test_a_path_pattern_narrows_a_fault() -> None:
    fault = Fault(kind="cut_after", path="/certificates/*/revoke", method="PUT")
    revoke = SimulatedRequest("PUT", "/certificates/x/revoke")

    assert _struck(fault, POST, revoke, SimulatedRequest("PUT", "/courses/x")) == [2]


def test_logging_in_is_struck_only_when_named() -> None:
    token = SimulatedRequest("POST", "/oauth/token")

    assert _struck(Fault(kind="cut_after"), token) == []
    assert _struck(Fault(kind="cut_after", path="/oauth/token"), token) == [1]


def test_the_same_seed_strikes_the_same_calls() -> None:
    fault = Fault(kind="cut_after", probability=0.3)

    first, second = (_struck(fault, *[POST] * 50) for _ in range(2))

    assert first == second
    assert 5 < len(first) < 25


def test_the_first_of_two_faults_wins_and_both_count() -> None:
    engine = FaultEngine([Fault(kind="cut_after", nth=1), Fault(kind="throttle", nth=2)])

    chosen = [engine.choose(POST, Random(1)) for _ in range(2)]

    assert [fault.kind for fault in chosen if fault] == ["cut_after", "throttle"]


def test_texts_are_parsed() -> None:
    text = "late:nth=3,seconds=40,path=/cert*;throttle:every=10,method=any,retry_after=date"

    assert parse_faults(text) == (
        Fault(kind="late", nth=3, seconds=40.0, path="/cert*"),
        Fault(kind="throttle", every=10, method="any", retry_after="date"),
    )
    assert parse_faults("off") == ()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_written(kind: str) -> None:
    assert parse_faults(kind) == (Fault(kind=kind),)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"kind": "explosion"},
        {"kind": "late", "colour": "red"},
        {"kind": "late", "nth": 0},
        {"kind": "late", "nth": "x"},
        {"kind": "late", "seconds": -1},
        {"kind": "late", "probability": 2},
        {"kind": "throttle", "retry_after": "soon"},
    ],
)
def test_a_wrong_fault_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(InputError):
        read_fault(values)
