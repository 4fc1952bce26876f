"""What several hosts need."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.testing import SERVED
from tests.postgresql import Cluster


@pytest.fixture
def served(tmp_path: Path, cluster: Cluster) -> Iterator[Path]:
    """Give a folder whose ledger is on a server: a file has one host."""
    with cluster.lent() as address:
        (tmp_path / SERVED).write_text(address.render_as_string(hide_password=False))
        yield tmp_path
