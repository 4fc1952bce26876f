"""The command line's door: from here on, being asked to stop ends in a clean exit."""

import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType
from typing import Final, NoReturn

INTERRUPTED: Final = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = tuple(sys.argv[1:] if arguments is None else arguments)
    if threading.current_thread() is not threading.main_thread():
        return _run(words)
    # First of all, because even the imports take long enough to be interrupted.
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _run(words)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    finally:
        signal.signal(signal.SIGTERM, before)


def _run(words: tuple[str, ...]) -> int:
    from sync.cli.interrupt import interruptible  # noqa: PLC0415 - see above
    from sync.cli.program import run_words  # noqa: PLC0415

    with interruptible():
        return run_words(words)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
