"""The practice service over real HTTP on a socket."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from aiohttp import web

from sync.simulator.address import Address
from sync.simulator.message import SimulatedRequest, SimulatedResponse
from sync.simulator.simulator import Simulator
from sync.simulator.world import UPLOAD_BYTES_MAX

_SHUTDOWN_SECONDS = 0.1
Clock = Callable[[], datetime]


def _utc_now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def serve(
    simulator: Simulator, *, host: str = "127.0.0.1", port: int = 0, clock: Clock = _utc_now
) -> AsyncIterator[Address]:
    """Serve until the block ends; port 0 takes a free one."""
    runner = web.ServerRunner(
        web.Server(_Door(simulator, clock).answer, access_log=None),
        shutdown_timeout=_SHUTDOWN_SECONDS,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield Address(host, runner.addresses[0][1], simulator.tenant)
    finally:
        await runner.cleanup()


async def serve_forever(
    simulator: Simulator,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    on_ready: Callable[[Address], None] | None = None,
) -> None:
    """Serve until cancelled, telling `on_ready` the address first."""
    async with serve(simulator, host=host, port=port) as address:
        if on_ready is not None:
            on_ready(address)
        await asyncio.Event().wait()


class _Door:
    """Carries requests from the wire to the simulator and answers back."""

    def __init__(self, simulator: Simulator, clock: Clock) -> None:
        self._simulator = simulator
        self._clock = clock
        self._alarm: asyncio.TimerHandle | None = None

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        simulated = await _read(request)
        now = self._clock()
        response = self._simulator.handle(simulated, now=now)
        self._set_alarm()
        if response.stall_seconds:
            await asyncio.sleep(response.stall_seconds)
        if response.ticket is not None:
            # The loop's clock may run ahead of the wall's, and the answer is due by now.
            due = now + timedelta(seconds=response.stall_seconds)
            response = self._simulator.collect(response.ticket, now=max(due, self._clock()))
        if response.cut and request.transport is not None:
            request.transport.abort()
        return _to_wire(response)

    def _set_alarm(self) -> None:
        """Wake up for the next thing that happens by itself, so that readers see it."""
        due = self._simulator.world.next_due
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if due is not None:
            seconds = max(0.0, (due - self._clock()).total_seconds())
            self._alarm = asyncio.get_running_loop().call_later(seconds, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._simulator.advance(now=self._clock())
        self._set_alarm()


async def _read(request: web.BaseRequest) -> SimulatedRequest:
    body = bytearray()
    # Reading stops once there is more than is accepted: the core then refuses with 413.
    while request.can_read_body and len(body) <= UPLOAD_BYTES_MAX and not request.content.at_eof():
        body += await request.content.readany()
    return SimulatedRequest(
        request.method,
        request.path,
        query=tuple(request.query.items()),
        headers=dict(request.headers),
        body=bytes(body),
    )


def _to_wire(response: SimulatedResponse) -> web.Response:
    status = response.status or 500
    return web.Response(status=status, headers=dict(response.headers), body=response.body)
