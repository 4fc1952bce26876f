"""How a process of simulations begins and ends, so that a seed is the same run every time."""

import os
import sys

HASH_SEED = "0"


def pin_hashes() -> None:
    """Start again with a hash seed that repeats, for sets come in its order."""
    if os.environ.get("PYTHONHASHSEED") != HASH_SEED:
        environment = {**os.environ, "PYTHONHASHSEED": HASH_SEED}
        os.execve(sys.executable, [sys.executable, *sys.argv], environment)


def leave(code: int) -> None:
    """End at once: what was killed must not be woken by the end of the interpreter."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
