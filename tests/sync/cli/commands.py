"""Runs commands as a person would, inside this process or as one of their own."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection

from sync.runtime import Settings
from tests.architecture.source import ROOT
from tests.places import disarm

STUDENT = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "urn:sis:uni",
    "type": "student.upserted",
    "subject": "S-1",
    "time": "2026-02-01T09:00:00Z",
    "data": {"name": "Ana Lima", "email": "ana@example.edu", "date_of_birth": "2002-08-28"},
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command wrote, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


def clean_environment(**settings: str) -> dict[str, str]:
    """Return this process's environment with no settings but these."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("DOKSTAMP_")}
    given = {f"DOKSTAMP_{name.upper()}": value for name, value in settings.items()}
    return {**others, **given, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def start(
    *words: str,
    folder: Path,
    stdin: int = subprocess.PIPE,
    stdout: IO[str] | int = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
    settings: Mapping[str, str] | None = None,
) -> subprocess.Popen[str]:
    """Start a command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "sync.cli", *words],
        cwd=folder,
        env=clean_environment(**(settings or {})),
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        text=True,
    )


@contextmanager
def at_work(task: str) -> Iterator[None]:
    """Be the process that is at a task of the ledger that the settings here name."""
    database = Settings.load().address.main()
    with asyncio.Runner() as runner:
        alone = database.alone(task)
        runner.run(alone.__aenter__())
        try:
            yield
        finally:
            runner.run(alone.__aexit__(None, None, None))
            runner.run(database.close())


def spoil(statement: str) -> None:
    """Do something to the database that the settings here name, past what guards its log."""

    def harm(connection: Connection) -> None:
        disarm(connection)
        connection.exec_driver_sql(statement)

    async def reach() -> None:
        database = Settings.load().address.main()
        await database.run(harm)
        await database.close()

    asyncio.run(reach())


def event(**changes: object) -> str:
    """Return a line with one event."""
    return json.dumps({**STUDENT, **changes}) + "\n"
