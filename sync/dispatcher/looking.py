"""Which operations can leave a second record behind, and when that is looked for.

A request without an answer may take effect after the settle window, beside what was made in its
place. So whatever was ever in doubt is looked at once more, much later, by `recheck`.
"""

from typing import Final

from ledger.outbox.operation import Operation
from sync.resources import Kind

LOOK_WINDOWS: Final = 10
"""How many settle windows after a record was made it is looked at once more."""
_MAKING: Final = frozenset({Kind.UPSERT.value, Kind.ISSUE.value})
_NEVER_TWICE: Final = frozenset({"course_module"})
"""What DokStamp itself never has twice: a module is attached to a course, or it is not."""


def can_double(operation: Operation) -> bool:
    """Tell whether DokStamp could get a second record by an operation sent twice."""
    return operation.kind in _MAKING and operation.reference.entity not in _NEVER_TWICE


def look_seconds(settle_seconds: float) -> float:
    """Return how long after it was made a record is looked at once more."""
    return LOOK_WINDOWS * settle_seconds
