"""The door to the HTTP server, which is imported only when somebody opens it.

So the core, and a simulation built on it, work without aiohttp.
"""

from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager

from sync.simulator.address import Address
from sync.simulator.simulator import Simulator


def serve(
    simulator: Simulator, *, host: str = "127.0.0.1", port: int = 0
) -> AbstractAsyncContextManager[Address]:
    """Serve until the block ends; port 0 takes a free one."""
    from sync.simulator import http_server  # noqa: PLC0415 - see above

    return http_server.serve(simulator, host=host, port=port)


def serve_forever(
    simulator: Simulator,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    on_ready: Callable[[Address], None] | None = None,
) -> Coroutine[object, object, None]:
    """Serve until cancelled, telling `on_ready` the address first."""
    from sync.simulator import http_server  # noqa: PLC0415 - see above

    return http_server.serve_forever(simulator, host=host, port=port, on_ready=on_ready)
