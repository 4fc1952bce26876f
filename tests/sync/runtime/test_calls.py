import asyncio

import pytest

from ledger.clock import ManualClock
from sync.dokstamp.answer import Answer, Meaning
from sync.dokstamp.exchange import Exchange
from sync.dokstamp.request import Request
from sync.runtime.calls import CountedSender
from tests.sync.dispatcher.floor import Register

READ = Request("GET", "/institutions", "/institutions")
NOW = ManualClock().now()


class Renewing:
    """A sender that asks for a token first, and again after a 401."""

    async def send(
        self,
        request: Request,
        *,
        timeout_seconds: float | None = None,  # noqa: ARG002 - as the client has it
    ) -> tuple[Answer, tuple[Exchange, ...]]:
        token = Exchange("POST", "/oauth/token", 200, NOW, seconds=0.1)
        refused = Exchange(request.method, request.route, 401, NOW, seconds=0.1)
        done = Exchange(request.method, request.route, 200, NOW, seconds=0.1)
        return Answer(Meaning.DONE, 200), (token, refused, token, done)


async def test_requests_for_resources_are_counted_and_all_are_told() -> None:
    told: list[Exchange] = []
    sender = CountedSender(Renewing(), told.append)
    answer, exchanges = await sender.send(READ)

    assert (answer.status, len(exchanges)) == (200, 4)
    assert sender.calls == {"GET": 2}
    assert tuple(told) == exchanges


async def test_a_call_that_was_cut_is_no_call() -> None:
    def cancel(_request: Request) -> None:
        raise asyncio.CancelledError

    sender = CountedSender(Register(ManualClock(), before=cancel), lambda _: None)
    with pytest.raises(asyncio.CancelledError):
        await sender.send(READ)

    assert not sender.calls
