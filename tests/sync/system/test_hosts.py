"""Several processes on one ledger: each does a share of the work, and nothing is done twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.testing import SERVED
from tests.postgresql import Cluster
from tests.sync.system.commands import ended, stationed
from tests.sync.system.university import FIRST_TERM, SECOND_TERM

HOSTS = 2


@pytest.fixture
def served(tmp_path: Path, cluster: Cluster) -> Iterator[Path]:
    """Give a folder whose ledger is on a server: a file has one host."""
    with cluster.lent() as address:
        (tmp_path / SERVED).write_text(address.render_as_string(hide_password=False))
        yield tmp_path


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
