"""A program that works for ever: told more once it has come to rest, and stopped once more is done.

How long any of it may take is bounded: who never comes to rest has lost something.
"""

import os
import signal
import time
from collections.abc import Sequence
from typing import Final

from tests.sync.system.killing.homes import Home
from tests.sync.system.killing.program import Command, Ended, ended, run, start

REST_SECONDS_MAX: Final = 120.0
STOP_SECONDS_MAX: Final = 60.0
LOOK_SECONDS: Final = 0.05
STOPPED: Final = 130
"""How a program ends that was asked to."""
_LIVE: Final = "generation = (SELECT generation FROM ledgers)"
_OWED: Final = (
    "SELECT (SELECT count(*) FROM operations WHERE kind <> 'recheck'"
    f" AND state NOT IN ('done', 'superseded', 'discarded') AND {_LIVE})"
    " + (SELECT count(*) FROM events WHERE NOT is_outcome AND position >"
    f" COALESCE((SELECT position FROM checkpoints WHERE name = 'projector' AND {_LIVE}), -1))"
)


def run_on(command: Command, home: Home, *, beside: Sequence[Command], fatal: str | None) -> Ended:
    """Let the program work and be told more beside it, until it dies or nothing more is owed."""
    process = start(command, fatal=fatal)
    try:
        for telling in beside:
            if not _comes_to_rest(process, home):
                return ended(command, process)
            told = run(telling)
            assert told.code == 0, told
        if _comes_to_rest(process, home):
            os.kill(process, signal.SIGTERM)
            _await_end(process)
    except BaseException:
        # Nobody else would end it.
        os.kill(process, signal.SIGKILL)
        ended(command, process)
        raise
    return ended(command, process)


def _comes_to_rest(process: int, home: Home) -> bool:
    """Return whether nothing is owed any longer; not if the program dies before that."""
    end = time.monotonic() + REST_SECONDS_MAX
    while not _is_over(process):
        if home.rows(_OWED)[0][0] == 0:
            return True
        assert time.monotonic() < end, "G9: the host never comes to rest"
        time.sleep(LOOK_SECONDS)
    return False


def _await_end(process: int) -> None:
    end = time.monotonic() + STOP_SECONDS_MAX
    while not _is_over(process):
        assert time.monotonic() < end, "the host does not stop when it is asked to"
        time.sleep(LOOK_SECONDS)


def _is_over(process: int) -> bool:
    """Tell whether a process has ended, without putting it away."""
    return os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
