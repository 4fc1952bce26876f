"""Walks the pages of a list, one at a time, up to as many rows as are asked for."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, TypeVar

import click

from sync.cli.output import Row, warn
from sync.runtime.page import Page

Cursor = TypeVar("Cursor")
Fetch = Callable[[Cursor | None, int], Awaitable[Page[Cursor]]]

PAGE_ROWS: Final = 200

limit_option = click.option(
    "--limit", "rows_max", type=click.IntRange(1), help="Show at most so many rows."
)


async def rows_of(
    fetch: Fetch[Cursor], *, rows_max: int | None, rows_unasked: int | None = None
) -> AsyncIterator[Row]:
    """Return the rows of every page, of which never more than one is held.

    Stops after `rows_max`, or after `rows_unasked` if no bound was asked for, and says so then.
    """
    after: Cursor | None = None
    left = rows_unasked if rows_max is None else rows_max
    while left is None or left > 0:
        page = await fetch(after, PAGE_ROWS if left is None else min(PAGE_ROWS, left))
        for row in page.rows:
            yield row
        if page.next is None:
            return
        after = page.next
        left = None if left is None else left - len(page.rows)
    if rows_max is None:
        warn(f"stopped after {rows_unasked}, there may be more: see --limit")
