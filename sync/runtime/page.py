"""One page of an answer, and where the next one begins."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ledger.reference import Json

Cursor = TypeVar("Cursor")
Row = TypeVar("Row")
Answer = dict[str, Json]
"""One object as `--json` and `--jsonl` print it."""

ROWS_MAX = 500


@dataclass(frozen=True, slots=True)
class Page(Generic[Cursor]):
    """Some rows, and the cursor to hand in for those that follow."""

    rows: tuple[Answer, ...]
    next: Cursor | None
    """`None` when nothing follows."""


def page_of(
    found: Sequence[Row],
    *,
    limit: int,
    answer: Callable[[Row], Answer],
    cursor: Callable[[Row], Cursor],
) -> Page[Cursor]:
    """Return a page of what was found; a full page is taken to have a successor."""
    following = cursor(found[-1]) if len(found) >= limit else None
    return Page(tuple(answer(row) for row in found), following)
