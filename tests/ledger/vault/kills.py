"""Kill work at each of its steps: files opened, moved and removed, writing statements, commits.

The work runs in a fork, which ends at once and without any tidying when it comes to the step.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any, NoReturn

from sqlalchemy import Engine, event

KILLED = 9
FINISHED = 0
FAILED = 1
READS = ("SELECT", "PRAGMA", "BEGIN")
FILE_EVENTS = frozenset({"os.rename", "os.remove", "os.chmod"})

Work = Callable[[], Awaitable[object]]


def run_to(step: int, work: Work) -> bool:
    """Run work in a fork until this step; tells whether it came to its end before."""
    child = os.fork()
    if child == 0:
        _run_in_fork(step, work)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in {KILLED, FINISHED}, f"the work failed before step {step}"
    return code == FINISHED


def _run_in_fork(step: int, work: Work) -> NoReturn:
    code = FAILED
    try:
        _arm(step)
        asyncio.run(_awaited(work))
        code = FINISHED
    except BaseException as error:  # noqa: BLE001 - a fork must never go on as the tests
        os.write(2, f"{error!r}\n".encode())
    os._exit(code)


async def _awaited(work: Work) -> None:
    await work()


def _arm(step: int) -> None:
    steps = count()

    def advance() -> None:
        if next(steps) == step:
            os._exit(KILLED)

    def look(name: str, details: tuple[Any, ...]) -> None:
        is_write = name == "open" and isinstance(details[2], int) and details[2] & os.O_ACCMODE
        if is_write or name in FILE_EVENTS:
            advance()

    def at_statement(*details: Any) -> None:
        # What only reads leaves everything as it was found at the step before.
        if not str(details[2]).startswith(READS):
            advance()

    sys.addaudithook(look)
    event.listen(Engine, "before_cursor_execute", at_statement)
    event.listen(Engine, "commit", lambda _: advance())
