"""Whose turn it is: every class of work gets a share, the urgent ones a larger one."""

from collections.abc import Mapping, Sequence
from typing import Final

from ledger.outbox.operation import Operation, Priority

# Which class is asked first, claim by claim.
_TURNS: Final = (
    Priority.REVOKE,
    Priority.ISSUE,
    Priority.REVOKE,
    Priority.ISSUE,
    Priority.REVOKE,
    Priority.REST,
    Priority.LOOK,
)


def take_turns(by_class: Mapping[int, Sequence[Operation]], *, start: int) -> list[Operation]:
    """Return all operations in the order of turns from a number on; a class in vain is passed."""
    queues = {priority: iter(by_class.get(priority, ())) for priority in _TURNS}
    total = sum(len(by_class.get(priority, ())) for priority in queues)
    ordered: list[Operation] = []
    turn = start
    while len(ordered) < total:
        following = next(queues[_TURNS[turn % len(_TURNS)]], None)
        if following is not None:
            ordered.append(following)
        turn += 1
    return ordered
