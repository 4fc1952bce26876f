"""Whether a write that keeps failing fails by itself: only writes of others can tell.

```
 A fails ─► A fails ─► B is answered ─► A fails ─► A fails
 └── says nothing of A, it may be ──┘   └── counts against A,
     everybody's trouble                    until it is answered itself
```

A service that answers reads and no write at all is at fault, however long that lasts and however
few operations there are to show it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from sync.dispatcher.circuit import Sign

FAILING_MAX: Final = 500
"""How many failing operations are remembered; those that failed first are forgotten first."""


@dataclass(frozen=True, slots=True)
class Writes:
    """How the writes of this process fared."""

    answered: int = 0
    """Writes that got an answer."""
    failing: Mapping[str, int] = field(default_factory=dict)
    """Operations not answered since they first failed, and how many writes had been by then."""


def heard(writes: Writes, sign: Sign, *, about: Iterable[str]) -> Writes:
    """Return how writes fare after what a write for these operations came to."""
    match sign:
        case Sign.ALIVE:
            concerned = frozenset(about)
            left = {name: seen for name, seen in writes.failing.items() if name not in concerned}
            return Writes(writes.answered + 1, left)
        case Sign.FAILED:
            failing = dict.fromkeys(about, writes.answered) | dict(writes.failing)
            oldest_first = sorted(failing.items(), key=lambda each: each[1])
            forgotten = max(0, len(failing) - FAILING_MAX)
            return Writes(writes.answered, dict(islice(oldest_first, forgotten, None)))
        case _:
            return writes


def may_blame(writes: Writes, operation: str) -> bool:
    """Tell whether others were answered since an operation's writes fail, if they do."""
    return writes.failing.get(operation, -1) < writes.answered
