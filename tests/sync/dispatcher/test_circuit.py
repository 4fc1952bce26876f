from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.dispatcher.circuit import (
    FAILURES_MAX,
    PROBE_SECONDS_MAX,
    SETTLE_SECONDS,
    SIGNS,
    Circuit,
    Sign,
    State,
    admit,
    put_off,
    record,
    settle,
    sign_of,
)
from sync.dokstamp.answer import Answer, Meaning

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def told(circuit: Circuit, *signs: Sign, now: datetime = NOW, calls_max: int = 8) -> Circuit:
    for sign in signs:
        circuit = record(circuit, sign, now=now, calls_max=calls_max)
    return circuit


OPEN = told(Circuit(), *[Sign.FAILED] * FAILURES_MAX)
HALF_OPEN = admit(OPEN, after(5), under_way=0)[0]
CLOSING = told(HALF_OPEN, Sign.ALIVE)


@pytest.mark.parametrize(
    ("circuit", "sign", "state"),
    [
        (Circuit(), Sign.ALIVE, State.CLOSED),
        (Circuit(), Sign.NONE, State.CLOSED),
        (Circuit(), Sign.FAILED, State.CLOSED),
        (Circuit(failures=FAILURES_MAX - 1), Sign.FAILED, State.OPEN),
        (Circuit(failures=FAILURES_MAX - 1), Sign.NONE, State.CLOSED),
        (OPEN, Sign.ALIVE, State.OPEN),
        (OPEN, Sign.FAILED, State.OPEN),
        (OPEN, Sign.NONE, State.OPEN),
        (HALF_OPEN, Sign.ALIVE, State.CLOSED),
        (HALF_OPEN, Sign.FAILED, State.OPEN),
        (HALF_OPEN, Sign.NONE, State.HALF_OPEN),
        (CLOSING, Sign.ALIVE, State.CLOSED),
        (CLOSING, Sign.FAILED, State.OPEN),
    ],
)
def test_a_sign_moves_the_circuit(circuit: Circuit, sign: Sign, state: State) -> None:
    assert told(circuit, sign, now=after(5)).state is state


def test_a_success_between_failures_keeps_it_closed() -> None:
    signs = ([Sign.FAILED] * (FAILURES_MAX - 1) + [Sign.ALIVE]) * 10

    assert told(Circuit(), *signs) == Circuit()


@pytest.mark.parametrize(
    ("circuit", "now", "under_way", "wait"),
    [
        (Circuit(), NOW, 1000, 0.0),
        (OPEN, NOW, 0, 5.0),
        (OPEN, after(4), 0, 1.0),
        (OPEN, after(5), 0, 0.0),
        (OPEN, after(-(10**6)), 0, 5.0),
        (HALF_OPEN, after(5), 1, 5.0),
        (HALF_OPEN, after(10), 0, 0.0),
        (CLOSING, after(5), 0, 0.0),
        (CLOSING, after(5), 1, None),
    ],
)
def test_a_call_goes_or_learns_how_long_to_wait(
    circuit: Circuit, now: datetime, under_way: int, wait: float | None
) -> None:
    assert admit(circuit, now, under_way=under_way)[1] == wait


def test_one_probe_goes_in_each_interval() -> None:
    circuit, gone = OPEN, []
    for second in range(21):
        circuit, wait = admit(circuit, after(second), under_way=0)
        gone += [second] if wait == 0 else []

    assert gone == [5, 10, 15, 20]


def test_probes_that_fail_come_less_and_less_often() -> None:
    circuit, intervals = OPEN, []
    for _ in range(6):
        assert circuit.probe_at is not None
        circuit, _ = admit(circuit, circuit.probe_at, under_way=0)
        circuit = told(circuit, Sign.FAILED)
        intervals.append(circuit.probe_seconds)

    assert intervals == [10, 20, 40, PROBE_SECONDS_MAX, PROBE_SECONDS_MAX, PROBE_SECONDS_MAX]


@pytest.mark.parametrize(
    ("calls_max", "steps"),
    [(4, [1, 2, 3, None, None]), (2, [1, None]), (1, [None])],
)
def test_after_a_good_probe_calls_grow_by_one_with_each_answer(
    calls_max: int, steps: list[int | None]
) -> None:
    circuit, seen = HALF_OPEN, []
    for _ in steps:
        circuit = told(circuit, Sign.ALIVE, calls_max=calls_max)
        seen.append(circuit.calls_max)

    assert seen == steps
    assert circuit.state is State.CLOSED


def test_every_meaning_is_a_sign() -> None:
    assert set(SIGNS) == set(Meaning)
    assert sign_of(Answer(Meaning.UNCERTAIN, 500)) is Sign.FAILED
    assert sign_of(Answer(Meaning.REFUSED, 500)) is Sign.NONE


@given(st.lists(st.sampled_from(list(Sign)), max_size=60))
def test_whatever_happened_good_answers_close_it_again(signs: list[Sign]) -> None:
    circuit = told(Circuit(), *signs)
    seconds = 0.0
    for _ in range(20):
        circuit, wait = admit(circuit, after(seconds), under_way=0)
        if wait:
            seconds += wait
        else:
            circuit = told(circuit, Sign.ALIVE, now=after(seconds))

    assert circuit == Circuit()


def test_the_first_probe_goes_as_soon_as_it_is_set_to() -> None:
    nearly = Circuit(failures=FAILURES_MAX - 1)

    opened = record(nearly, Sign.FAILED, now=NOW, calls_max=8, probe_seconds=1.0)

    assert opened.probe_at == after(1)


def test_a_column_that_the_service_cannot_filter_by_opens_nothing() -> None:
    odd = sign_of(Answer(Meaning.UNAVAILABLE, 500), is_filtered=True)
    closed = told(Circuit(), *[odd] * FAILURES_MAX)

    assert (odd, closed.state) == (Sign.ODD, State.CLOSED)
    assert told(HALF_OPEN, odd, Sign.ALIVE).state is State.CLOSED
    assert sign_of(Answer(Meaning.UNAVAILABLE, 503), is_filtered=True) is Sign.FAILED


def test_probes_that_are_answered_oddly_and_fail_come_less_and_less_often() -> None:
    circuit, intervals = OPEN, []
    for _ in range(4):
        assert circuit.probe_at is not None
        now = circuit.probe_at
        circuit = told(admit(circuit, now, under_way=0)[0], Sign.ODD, now=now)
        circuit, wait = admit(circuit, now, under_way=1)
        assert wait == 0
        circuit = told(circuit, Sign.FAILED, now=now)
        intervals.append(circuit.probe_seconds)

    assert intervals == [10, 20, 40, PROBE_SECONDS_MAX]
    assert circuit.probes == 4


def test_a_failure_while_it_closes_lets_the_next_probe_come_later() -> None:
    again = told(CLOSING, Sign.FAILED, now=after(6))

    assert (again.probe_at, again.probes) == (after(16), 1)


def test_trouble_is_over_when_nothing_fails_for_a_while() -> None:
    closing = told(HALF_OPEN, Sign.ALIVE, now=after(5))

    assert settle(closing, after(4 + SETTLE_SECONDS)) == closing
    assert settle(closing, after(5 + SETTLE_SECONDS)) == Circuit()
    assert settle(OPEN, after(10**6)) == OPEN


def test_what_failed_before_opens_it_again_only_where_much_of_it_fails() -> None:
    circuit, known = Circuit(), [f"known {number}" for number in range(FAILURES_MAX)]
    for about in known:
        circuit = record(circuit, Sign.FAILED, now=NOW, calls_max=8, about=about)
    closing = told(admit(circuit, after(5), under_way=0)[0], Sign.ALIVE, now=after(5))
    states: list[State] = []
    for about in (known[0], *known):
        circuit = record(
            circuit if states else closing, Sign.FAILED, now=NOW, calls_max=8, about=about
        )
        states.append(circuit.state)

    assert states == [State.CLOSED] * FAILURES_MAX + [State.OPEN]
    new = record(closing, Sign.FAILED, now=NOW, calls_max=8, about="new")
    assert new.state is State.OPEN


def test_only_failures_about_different_things_open_it() -> None:
    circuit = Circuit()
    for about in ("a", "b", "a", "a", "b", "a"):
        circuit = record(circuit, Sign.FAILED, now=NOW, calls_max=8, about=about)
    for about in ("c", "d", "e"):
        assert circuit.state is State.CLOSED
        circuit = record(circuit, Sign.FAILED, now=NOW, calls_max=8, about=about)

    assert circuit.state is State.OPEN


def test_the_first_failure_is_when_the_trouble_began() -> None:
    circuit = told(Circuit(), Sign.FAILED)
    circuit = told(circuit, *[Sign.FAILED] * FAILURES_MAX, now=after(60))

    assert circuit.since == NOW


def test_who_leaves_the_probe_to_others_waits_again() -> None:
    assert put_off(HALF_OPEN, after(5), 30) == replace(
        HALF_OPEN, state=State.OPEN, probe_at=after(35)
    )
    assert put_off(Circuit(), NOW, 30) == Circuit()
