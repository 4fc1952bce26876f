"""What a process that works for months asks of its interpreter; embedding hosts may ask the same.

The interpreter is the process's, so nothing below the command line touches it.
"""

import gc
import sys
from typing import Final

SWITCH_SECONDS: Final = 0.001
"""How long a thread that folds or writes may keep the interpreter while the event loop waits."""


def be_steady() -> None:
    """Keep the event loop's pauses short; to be called once everything was started."""
    # What is loaded by now stays for good. Looking through all of it again and again for what
    # could be freed holds everything up for a tenth of a second each time.
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(SWITCH_SECONDS)
