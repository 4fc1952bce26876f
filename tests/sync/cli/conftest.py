"""A folder of its own for every command, and what the command line sets up put back."""

import asyncio
import io
import json
import logging
import os
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import structlog

from ledger.testing import SERVED
from sync.cli.main import main
from sync.simulator import Simulator, serve
from tests.sync.cli.commands import Answer

T = TypeVar("T")
Command = Callable[..., Answer]


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Command]:
    """Give a function that runs one command in an empty folder, without any setting."""
    for name in [name for name in os.environ if name.startswith("DOKSTAMP_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    handlers, level = logging.root.handlers[:], logging.root.level

    def run(*words: str, typed: str = "", **settings: str) -> Answer:
        for name, value in settings.items():
            monkeypatch.setenv(f"DOKSTAMP_{name.upper()}", value)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(typed.encode())))
        capsys.readouterr()
        code = main(words)
        written = capsys.readouterr()
        return Answer(code, written.out, written.err)

    yield run
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def place(home: Path, command: Command) -> Command:
    """Give the same where a ledger may be made: in the folder, or on the server that it names."""
    served = home / SERVED
    if served.exists():
        # The folder's own settings are read by this process and by those of its own.
        setting = f"ledger_database = {json.dumps(served.read_text())}\n"
        (home / "dokstamp-ledger.toml").write_text(setting)
    return command


@pytest.fixture
def ledger(place: Command) -> Command:
    """Give the same, with a ledger."""
    assert place("init").code == 0
    return place


@pytest.fixture
def practice() -> Iterator[dict[str, str]]:
    """Give the settings that lead to a practice service of its own."""
    # In a thread: a process would spend most of a test's time on starting.
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="practice")
    thread.start()

    def wait(work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result()

    service = serve(Simulator())
    address = wait(service.__aenter__())
    yield {
        "base_url": address.url,
        "tenant": address.tenant.domain,
        "client_id": address.tenant.client_id,
        "client_secret": address.tenant.client_secret,
    }
    wait(service.__aexit__(None, None, None))
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
