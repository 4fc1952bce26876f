import pytest
from sqlalchemy import BigInteger, Boolean, Connection, Float, LargeBinary, Table

from ledger.audit.generation_store import ROWS_PER_PAGE, compare, drop_page, strays
from ledger.schema.tables import FOLDED, checkpoints, wakes

VALUES = {BigInteger: 1, Boolean: False, Float: 1.0, LargeBinary: b"\x01"}
OTHERS = {BigInteger: 2, Boolean: True, Float: 2.0, LargeBinary: b"\x02"}
PLACES = [
    (table, column.name)
    for table in FOLDED
    for column in table.c
    if column.name not in {"ledger", "generation"}
]


def row(table: Table, generation: int, **changes: object) -> dict[str, object]:
    """Return a row with the same values in every generation."""
    values = {column.name: VALUES.get(type(column.type), "a") for column in table.c}
    return {**values, "ledger": 1, "generation": generation, **changes}


def put(connection: Connection, table: Table, generation: int, **changes: object) -> None:
    connection.execute(table.insert(), row(table, generation, **changes))


def test_equal_rows_are_counted_whatever_their_generation(connection: Connection) -> None:
    for table in FOLDED:
        put(connection, table, 0)
        put(connection, table, 1)

    found = compare(connection, 1, live=0, rebuilt=1)

    assert (found.rows, found.first_difference) == (len(FOLDED), None)


@pytest.mark.parametrize(("table", "column"), PLACES, ids=str)
def test_every_column_of_every_folded_table_is_compared(
    connection: Connection, table: Table, column: str
) -> None:
    put(connection, table, 0)
    put(connection, table, 1, **{column: OTHERS.get(type(table.c[column].type), "b")})

    found = compare(connection, 1, live=0, rebuilt=1).first_difference

    is_key = table.c[column].primary_key
    assert found is not None
    assert (found.table, found.column) == (table.name, None if is_key else column)


@pytest.mark.parametrize("generation", [0, 1])
@pytest.mark.parametrize("number", [0, ROWS_PER_PAGE - 1, ROWS_PER_PAGE, ROWS_PER_PAGE + 7])
def test_a_row_that_only_one_side_has_is_named(
    connection: Connection, generation: int, number: int
) -> None:
    names = [f"{each:05}" for each in range(ROWS_PER_PAGE + 8)]
    for each in names:
        put(connection, checkpoints, generation, name=each)
        if each != names[number]:
            put(connection, checkpoints, 1 - generation, name=each)

    found = compare(connection, 1, live=0, rebuilt=1).first_difference

    assert found is not None
    assert found.key == {"name": names[number]}
    assert (found.live == "a row") is (generation == 0)


def test_a_generation_is_dropped_in_pages_and_no_other(connection: Connection) -> None:
    for table in (*FOLDED, wakes):
        put(connection, table, 0)
        put(connection, table, 5)
    assert strays(connection, 1) == {5}

    pages = 0
    while drop_page(connection, 1, generation=5, limit=1):
        pages += 1

    assert pages == len(FOLDED) + 1
    assert strays(connection, 1) == set()
    assert compare(connection, 1, live=0, rebuilt=0).rows == len(FOLDED)


def test_the_live_generation_is_never_dropped(connection: Connection) -> None:
    put(connection, checkpoints, 0)

    assert not drop_page(connection, 1, generation=0, limit=1)
    assert connection.execute(checkpoints.select()).all()
