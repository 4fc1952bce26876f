"""What statements that are built once have in common: their conditions and their parameters.

Building an expression costs more than running it, so the stores build theirs when they are
imported and hand in values by name. `parameters` gives the values that `within` and `about` ask
for; a value to be written goes by its column's name and thereby says that the column is written.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import BindParameter, ColumnElement, FromClause, and_, bindparam, tuple_

from ledger.reference import Scope, SourceRef

Item = TypeVar("Item")


def within(table: FromClause) -> ColumnElement[bool]:
    """Return the condition that keeps a statement to one ledger and one folding."""
    return and_(
        table.c.ledger == bindparam("in_ledger"), table.c.generation == bindparam("in_generation")
    )


def about(table: FromClause) -> ColumnElement[bool]:
    """Return the condition that a row is about one record, within one folding."""
    return and_(
        within(table),
        table.c.entity == bindparam("of_entity"),
        table.c.source_id == bindparam("of_source_id"),
    )


def one_of(name: str) -> BindParameter[Any]:
    """Return the parameter of an `in_`: it takes a list, which may be empty."""
    return bindparam(name, expanding=True)


def one_of_pairs(first: ColumnElement[str], second: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that two columns together hold one of the pairs of `pairs`."""
    # Asked for pairs alone, SQLite reads the whole table; asked for each half, it uses an index.
    return and_(
        first.in_(one_of("pairs_first")),
        second.in_(one_of("pairs_second")),
        tuple_(first, second).in_(one_of("pairs")),
    )


def pairs(wanted: Iterable[tuple[str, str]]) -> dict[str, object]:
    """Return the parameters that `one_of_pairs` asks for."""
    every = list(wanted)
    return {
        "pairs": every,
        "pairs_first": sorted({first for first, _ in every}),
        "pairs_second": sorted({second for _, second in every}),
    }


def parameters(
    scope: Scope, reference: SourceRef | None = None, /, **more: object
) -> dict[str, object]:
    """Return what the conditions ask for, with whatever else a statement takes."""
    values: dict[str, object] = {"in_ledger": scope.ledger, "in_generation": scope.generation}
    if reference is not None:
        values |= {"of_entity": reference.entity, "of_source_id": reference.source_id}
    return values | more


def folded_row(
    scope: Scope, reference: SourceRef | None = None, /, **columns: object
) -> dict[str, object]:
    """Return a row to be inserted into a table of one folding."""
    row: dict[str, object] = {"ledger": scope.ledger, "generation": scope.generation}
    if reference is not None:
        row |= {"entity": reference.entity, "source_id": reference.source_id}
    return row | columns


def pages(items: Iterable[Item], limit: int) -> Iterator[list[Item]]:
    """Give these items in lists of at most `limit`: a statement takes so many parameters."""
    rest = iter(items)
    while page := list(islice(rest, limit)):
        yield page
