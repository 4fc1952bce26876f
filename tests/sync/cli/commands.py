"""Runs commands as a person would, inside this process or as one of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tests.architecture.source import ROOT

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
    stdout: IO[str] | int = subprocess.PIPE,
    settings: Mapping[str, str] | None = None,
) -> subprocess.Popen[str]:
    """Start a command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "sync.cli", *words],
        cwd=folder,
        env=clean_environment(**(settings or {})),
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
    )


def event(**changes: object) -> str:
    """Return a line with one event."""
    return json.dumps({**STUDENT, **changes}) + "\n"
