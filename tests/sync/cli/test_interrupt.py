import asyncio
import os
import signal
from pathlib import Path

import pytest

from sync.cli import interrupt
from sync.cli.exits import InterruptedWorkError
from tests.sync.cli.commands import start
from tests.sync.cli.conftest import Command

cleaned = list[str]()


async def _wait_and_clean() -> None:
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.Event().wait()
    finally:
        cleaned.append("clean")


def test_a_signal_stops_the_work_cleanly() -> None:
    with interrupt.interruptible(), pytest.raises(InterruptedWorkError):
        interrupt.run(_wait_and_clean())

    assert cleaned == ["clean"]


def test_work_that_ends_by_itself_gives_its_result() -> None:
    async def work() -> int:
        return 7

    with interrupt.interruptible():
        assert interrupt.run(work()) == 7


def test_a_signal_outside_the_loop_is_heard_and_the_old_hearing_comes_back() -> None:
    before = signal.getsignal(signal.SIGTERM)

    with interrupt.interruptible(), pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)

    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_waiting_for_standard_input_can_be_interrupted(
    ledger: Command, tmp_path: Path, number: signal.Signals
) -> None:
    assert ledger("status", "--help").code == 0
    process = start("--log-level", "info", "ingest", "-", folder=tmp_path)
    assert process.stdin is not None
    assert process.stderr is not None

    process.stdin.write("{\n")
    process.stdin.flush()
    told = process.stderr.readline()
    process.send_signal(number)
    _, rest = process.communicate()

    assert told
    assert process.returncode == 130
    assert "interrupted" in rest
