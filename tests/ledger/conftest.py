"""A migrated database with one ledger in it, for every test of the stores, on both databases."""

from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import AbstractContextManager
from functools import partial
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from ledger.database import Database
from ledger.reference import Scope
from ledger.testing import address_in
from tests.conftest import DATABASES
from tests.ledger.outbox.histories import Outbox
from tests.ledger.rows import LEDGER_SCOPE, Memory, begin_ledger
from tests.ledger.stages import InMemory, OnServer, Stage, Staging
from tests.postgresql import Cluster

_NOT_PLAIN = (isasyncgenfunction, iscoroutinefunction, isgeneratorfunction)


@pytest.fixture
async def database(home: Path) -> AsyncIterator[Database]:
    """Give a real database, migrated, with the rows of one empty ledger."""
    opened = address_in(home).main()
    await opened.run(begin_ledger)
    yield opened
    await opened.close()


@pytest.fixture(scope="session", autouse=True)
def _memories() -> Iterator[None]:
    """Let go of the ledgers in memory at the end."""
    yield
    Memory.forget()


@pytest.fixture
def scope() -> Scope:
    """Name the rows of the one ledger."""
    return LEDGER_SCOPE


@pytest.fixture(scope="session")
def server_stages(cluster: Cluster) -> Iterator[OnServer]:
    """Give stages on the server, whose databases are made once."""
    stages = OnServer(cluster)
    yield stages
    stages.close()


@pytest.fixture(scope="session", params=DATABASES)
def staging(request: pytest.FixtureRequest) -> Staging:
    """Give what opens ledgers as new, on either database; the test itself runs in it."""
    if request.param == "sqlite":
        return InMemory()
    stages: OnServer = request.getfixturevalue("server_stages")
    return stages


@pytest.fixture(scope="session")
def open_stage(staging: Staging) -> Callable[[], AbstractContextManager[Stage]]:
    """Give the way to open ledgers as new, for tests that need several."""
    return staging.open


@pytest.fixture
def stage(staging: Staging) -> Iterator[Stage]:
    """Give a ledger as new, in which transactions follow one another."""
    with staging.open() as held:
        yield held


@pytest.fixture
def connection(staging: Staging) -> Iterator[Connection]:
    """Give a connection inside a transaction on a ledger as new."""
    with staging.connect() as inside:
        yield inside


@pytest.fixture(scope="session")
def open_vault(staging: Staging) -> Callable[[], AbstractContextManager[Connection]]:
    """Give the way to open the tables of vaults as new, for tests that need several."""
    return staging.connect_vault


@pytest.fixture
def vault_connection(staging: Staging) -> Iterator[Connection]:
    """Give a connection inside a transaction on the tables of a vault."""
    with staging.connect_vault() as inside:
        yield inside


@pytest.fixture
def outbox(connection: Connection) -> Outbox:
    """Give an empty outbox."""
    return Outbox(connection)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, Any, Any]:
    """Make the fixtures of a test's own file where its stage can be used."""
    function = fixturedef.func
    is_of_a_file = Path(function.__code__.co_filename).stem.startswith("test_")
    is_plain = not any(is_other(function) for is_other in _NOT_PLAIN)
    if not is_of_a_file or not is_plain or "staging" not in request.fixturenames:
        return (yield)
    staging: Staging = request.getfixturevalue("staging")

    def inside(**given: object) -> object:
        return staging.run(partial(function, **given))

    # The one way to have it called otherwise than by pytest itself.
    object.__setattr__(fixturedef, "func", inside)
    try:
        return (yield)
    finally:
        object.__setattr__(fixturedef, "func", function)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test where its stage can be used."""
    staging = pyfuncitem.funcargs.get("staging")
    if not isinstance(staging, OnServer):
        return None
    given = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    staging.run(partial(pyfuncitem.obj, **given))
    return True
