"""With time, keys and chance fixed, the same events make the same log on any database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.clock import ManualClock, SeededEntropy
from ledger.home import initialise
from ledger.ledger import Ledger
from ledger.log.event import NewEvent
from ledger.reference import SourceRef
from ledger.testing import SERVED, address_in
from ledger.vault.key_file_store import make_key_file
from ledger.vault.sealed import KEY_BYTES
from tests.ledger.steps import SOURCE
from tests.postgresql import Cluster

MASTER = bytes(range(KEY_BYTES))


def events() -> list[NewEvent]:
    return [
        NewEvent(
            source=SOURCE,
            id=f"{kind}-{number}",
            type=f"{kind}.upserted",
            subject=SourceRef(kind, f"{kind[0]}-{number}"),
            private={"data": {"name": f"Name {number}"}},
            person=f"student:S-{number % 7}" if kind == "student" else "",
        )
        for number in range(150)
        for kind in ("course", "student")
    ]


async def root_of(folder: Path) -> tuple[int, str]:
    make_key_file(folder / "ledger.key", MASTER)
    address, clock = address_in(folder), ManualClock()
    await initialise(address, clock=clock, entropy=SeededEntropy(5))
    async with await Ledger.open(address, clock=clock, entropy=SeededEntropy(6)) as ledger:
        every = events()
        for begin in range(0, len(every), 20):
            await ledger.append(every[begin : begin + 20])
            await ledger.transact(lambda step: step.record("ingest.started", public={"run": "1"}))
            clock.advance(1)
        head = await ledger.head()
        return head.size, head.root().hex()


@pytest.fixture
def served(tmp_path: Path, cluster: Cluster) -> Iterator[Path]:
    folder = tmp_path / "served"
    folder.mkdir()
    with cluster.lent() as address:
        (folder / SERVED).write_text(address.render_as_string(hide_password=False))
        yield folder


@pytest.mark.one_database("it opens one of each and compares them")
async def test_a_file_and_a_server_come_to_the_same_root(tmp_path: Path, served: Path) -> None:
    in_file, on_server = await root_of(tmp_path), await root_of(served)

    assert in_file == on_server
    assert in_file[0] == 315
