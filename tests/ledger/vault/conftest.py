"""Folders for vaults of every kind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.testing import SERVED
from tests.ledger.vault.vaults import (
    Place,
)
from tests.postgresql import Cluster

KINDS = {"derived": ("sqlite", False), "file": ("sqlite", True), "server": ("postgresql", True)}


def place_of(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Place]:
    database, has_generations = KINDS[kind]
    place = Place(tmp_path, has_generations=has_generations)
    if database == "sqlite":
        yield place
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    with cluster.lent() as address:
        (tmp_path / SERVED).write_text(address.render_as_string(hide_password=False))
        yield place


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Give a folder for a vault whose wrapping is derived, or kept in a generation file."""
    yield from place_of(request.param, tmp_path, request)


@pytest.fixture(params=["file", "server"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Give a folder for a vault as it is kept where several hosts work."""
    yield from place_of(request.param, tmp_path, request)


@pytest.fixture
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Give a folder for a vault on a server."""
    yield from place_of("server", tmp_path, request)
