"""What every test may ask for, and how random tests are run."""

import asyncio
import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from ledger.migration_worker import migrate
from ledger.testing import SERVED, address_in
from tests.both_databases import MARKERS, Watch, has_excuse
from tests.postgresql import Cluster, running_server

# A busy machine must not fail a test: nothing here depends on how long something takes.
settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    max_examples=100,
    database=None,
    print_blob=True,
    suppress_health_check=(HealthCheck.too_slow,),
)
# New examples at every run, and more of them: HYPOTHESIS_PROFILE=explore scripts/test
settings.register_profile(
    "explore", settings.get_profile("repeatable"), derandomize=False, max_examples=1_000
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


LONGEST = ("test_kill_anywhere.py", "test_kill_points.py", "test_seeds.py", "test_canary.py")
"""What takes minutes begins first, so that nobody waits for it alone in the end."""
WATCH = Watch()
DATABASES = ("sqlite", "postgresql")
"""Where the ledgers of tests live: each in a file, and each on a server."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest first, and leave everything else in its order."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, and watch for databases."""
    config.addinivalue_line("markers", MARKERS)
    WATCH.start()


def pytest_collection_finish() -> None:
    """Have what was loaded for the tests looked through no more for what could be freed."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _on_both_databases(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that uses one kind of database and does not say why."""
    before = WATCH.connections
    yield
    if WATCH.connections > before and not has_excuse(request):
        pytest.fail("this used a database: ask for `home`, or mark it `one_database`, and say why")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Give a PostgreSQL server on which databases cost a few milliseconds."""
    with running_server() as address:
        made = Cluster(address)
        yield made
        made.close()


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with migrated databases without a ledger in them: a copy costs little."""
    folder = tmp_path_factory.mktemp("tables")
    asyncio.run(_make_tables(folder))
    return folder


async def _make_tables(folder: Path) -> None:
    address = address_in(folder)
    main, vault = address.main(), address.vault()
    await migrate(main, vault)
    await main.close()
    await vault.close()


@pytest.fixture(params=DATABASES)
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Give a folder for one ledger: as a file in it, or with `ledger.url` naming a server.

    Its tables are there already.
    """
    if request.param == "sqlite":
        shutil.copytree(request.getfixturevalue("tables"), tmp_path, dirs_exist_ok=True)
        yield tmp_path
    else:
        yield from _served(tmp_path, request)


@pytest.fixture
def elsewhere(request: pytest.FixtureRequest, home: Path) -> Iterator[Path]:
    """Give a folder for another ledger, on the same kind of database."""
    folder = home / "elsewhere"
    folder.mkdir()
    if (home / SERVED).exists():
        yield from _served(folder, request)
    else:
        yield folder


def _served(folder: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    cluster: Cluster = request.getfixturevalue("cluster")
    with cluster.lent() as address:
        (folder / SERVED).write_text(address.render_as_string(hide_password=False))
        yield folder


@pytest.fixture(scope="session")
def sample_data() -> Path:
    """Give the folder of real sample data that may stand beside the checkout."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no sample data beside this checkout")
    return folder
