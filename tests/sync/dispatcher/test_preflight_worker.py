import asyncio
from collections.abc import Callable
from random import Random

import pytest

from ledger.clock import ManualClock
from ledger.reference import TargetId
from sync.dispatcher.circuit import FAILURES_MAX
from sync.dispatcher.pace_worker import Pace
from sync.dispatcher.preflight_worker import fly_ahead
from sync.dokstamp.request import Request
from sync.errors import ConfigurationError
from tests.sync.dispatcher.floor import Register, failing


@pytest.fixture
def register() -> Register:
    """Give a fake DokStamp with one institution in it."""
    return Register(ManualClock(), rows=[{"uuid": "u-1", "status": "active"}])


def pace_of(register: Register) -> Pace:
    return Pace(per_second_max=0, lanes_max=8, clock=register.clock, rng=Random(1))


async def test_one_read_shows_that_the_tenant_is_ours(register: Register) -> None:
    seen = await fly_ahead(register, pace_of(register), institution=None)

    assert seen is not None
    assert seen.is_ready
    assert [each.method for each in register.requests] == ["GET"]


async def test_a_suspended_institution_is_seen(register: Register) -> None:
    register.rows[0]["status"] = "suspended"
    seen = await fly_ahead(register, pace_of(register), institution=TargetId("u-1"))

    assert seen is not None
    assert seen.is_suspended


@pytest.mark.parametrize("status", [401, 403, 404, 422])
async def test_another_tenant_is_a_matter_of_settings(register: Register, status: int) -> None:
    register.before = failing(status)
    with pytest.raises(ConfigurationError, match="nothing was written"):
        await fly_ahead(register, pace_of(register), institution=TargetId("u-1"))


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_without_an_answer_nothing_is_known(register: Register, status: int) -> None:
    register.before = failing(status)

    assert await fly_ahead(register, pace_of(register), institution=None) is None


async def test_an_open_circuit_asks_nothing(register: Register) -> None:
    pace = pace_of(register)
    register.before = failing(503)
    for _ in range(FAILURES_MAX):
        await fly_ahead(register, pace, institution=None)

    assert await fly_ahead(register, pace, institution=None) is None
    assert len(register.requests) == FAILURES_MAX


def _refuse(_request: Request) -> None:
    raise ConfigurationError("wrong secret")


def _cancel(_request: Request) -> None:
    raise asyncio.CancelledError


@pytest.mark.parametrize("cutting", [_refuse, _cancel])
async def test_a_call_that_is_cut_is_given_back(
    register: Register, cutting: Callable[[Request], None]
) -> None:
    pace = pace_of(register)
    register.before = cutting
    with pytest.raises((ConfigurationError, asyncio.CancelledError)):
        await fly_ahead(register, pace, institution=None)

    assert pace._under_way == 0
