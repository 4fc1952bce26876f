import pytest

from sync.cli.pages import rows_of
from sync.runtime.page import Answer, Page

COUNT = 450


async def fetch(after: int | None, limit: int) -> Page[int]:
    first = 0 if after is None else after + 1
    rows: tuple[Answer, ...] = tuple(
        {"number": number} for number in range(first, min(first + limit, COUNT))
    )
    return Page(rows, first + limit - 1 if len(rows) == limit else None)


@pytest.mark.parametrize(("rows_max", "count"), [(None, COUNT), (1, 1), (200, 200), (201, 201)])
async def test_rows_come_from_as_many_pages_as_needed(rows_max: int | None, count: int) -> None:
    rows = [row["number"] async for row in rows_of(fetch, rows_max=rows_max)]

    assert rows == list(range(count))


async def test_a_bound_that_nobody_asked_for_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [row async for row in rows_of(fetch, rows_max=None, rows_unasked=50)]

    assert len(rows) == 50
    assert capsys.readouterr().err == "stopped after 50, there may be more: see --limit\n"
