"""Several processes on one ledger: each does a share of the work, and nothing is done twice."""

from pathlib import Path

import pytest

from tests.sync.system.commands import ended, stationed
from tests.sync.system.university import FIRST_TERM, SECOND_TERM

HOSTS = 2


@pytest.mark.one_database("A file has one host at a time.")
async def test_hosts_share_the_work_and_do_nothing_twice(served: Path) -> None:
    async with stationed(served) as station:
        for term in (FIRST_TERM, SECOND_TERM):
            await station.ingest(term)
            started = [await station.start("sync") for _ in range(HOSTS)]
            codes = [(await ended(process)).code for process in started]

            # Who sees the last work in the hands of another has nothing to do, and says so.
            assert set(codes) <= {0, 75}
            assert (await station.run("sync")).code == 0
            assert await station.faults() == []
