"""A process that was stopped on the way to a request, for longer than it may take."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace

from sync.dokstamp.answer import Fault
from sync.dokstamp.http_client import HttpClient
from sync.dokstamp.wire import Outgoing
from tests.sync.dokstamp.raw_server import json_http, raw_server
from tests.sync.dokstamp.talking import always


class Stopping(Mapping[str, str]):
    """Headers at which the process is stopped for a moment."""

    def __getitem__(self, name: str) -> str:
        return {"Accept": "*/*"}[name]

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[str]:
        time.sleep(0.05)
        return iter(["Accept"])


async def test_a_process_that_wakes_up_too_late_sends_nothing_more() -> None:
    async with raw_server(always(json_http(200, {}))) as server:
        http_client = HttpClient(connect_timeout_seconds=1.0, connections_max=1)
        await http_client.open()
        outgoing = Outgoing("POST", f"{server.base_url}/courses", {}, b"{}")
        prompt = await http_client.send(outgoing, timeout_seconds=5.0)
        stopped = replace(outgoing, headers=Stopping())
        late = await http_client.send(stopped, timeout_seconds=0.04)
        await http_client.close()

    assert (prompt.status, late.fault) == (200, Fault.CONNECT)
    assert len(server.received) == 1
