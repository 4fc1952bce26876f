"""The tables of a package: file names, headers and rows, forgiving about how they are spelled."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

USED_FILES: Final = (
    "orgs",
    "academicsessions",
    "courses",
    "classes",
    "roles",
    "demographics",
    "users",
    "enrollments",
)
"""The files that are read, each after those it draws on."""
MANIFEST: Final = "manifest"

_ALIASES: Final[Mapping[str, str]] = {
    "datalastmodified": "datelastmodified",
    "lastmodified": "datelastmodified",
    "lastmodifieddate": "datelastmodified",
    # School Data Sync's words for the same things.
    "sessionsourcedids": "termsourcedids",
    "code": "coursecode",
}
# The columns without which a file's rows can mean nothing.
REQUIRED: Final[Mapping[str, frozenset[str]]] = {
    "orgs": frozenset({"sourcedid"}),
    "academicsessions": frozenset({"sourcedid"}),
    "courses": frozenset({"sourcedid"}),
    "classes": frozenset({"sourcedid"}),
    "roles": frozenset({"usersourcedid", "role"}),
    "demographics": frozenset({"birthdate"}),
    "users": frozenset({"sourcedid"}),
    "enrollments": frozenset({"classsourcedid", "usersourcedid"}),
    MANIFEST: frozenset({"propertyname", "value"}),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row by column; a column that is absent reads as blank."""

    values: Mapping[str, str] = field(repr=False)

    def __getitem__(self, column: str) -> str:
        return self.values.get(column, "")


def plain_name(text: str) -> str:
    """Return a name without what spellings differ in: letter case, blanks, punctuation."""
    return re.sub(r"[^a-z0-9]", "", text.casefold())


def file_key(name: str) -> str:
    """Return what a file holds, by its name: `Academic_Sessions.csv` is `academicsessions`."""
    return plain_name(name.rpartition("/")[2].removesuffix(".csv").removesuffix(".CSV"))


def columns(header: Sequence[str]) -> tuple[str | None, ...]:
    """Return the column that each cell belongs to; None for cells that are never kept."""
    seen: set[str] = set()
    names: list[str | None] = []
    for cell in header:
        name = _column(cell)
        # A repeated name would overwrite the first; a secret must get no further than here.
        is_kept = bool(name) and name not in seen and "password" not in name
        seen.add(name)
        names.append(name if is_kept else None)
    return tuple(names)


def row_of(names: Sequence[str | None], cells: Sequence[str]) -> Row | None:
    """Return the row, or None if it has more cells than the header, so that none can be trusted."""
    if any(cell.strip() for cell in cells[len(names) :]):
        return None
    pairs = zip(names, cells, strict=False)
    return Row({name: cell.strip() for name, cell in pairs if name is not None})


def missing_columns(file: str, names: Iterable[str | None]) -> tuple[str, ...]:
    """Return the columns that the file cannot be read without."""
    return tuple(sorted(REQUIRED.get(file, frozenset()) - set(names)))


def _column(cell: str) -> str:
    name = plain_name(cell.removeprefix("\ufeff")).replace("sourceid", "sourcedid")
    return _ALIASES.get(name, name)
