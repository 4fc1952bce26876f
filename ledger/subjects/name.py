"""The names of a person: the first, and those that follow after each erasure.

`student:S-1001`, then `student:S-1001~2`, `student:S-1001~3`, and so on. A tilde of the source's
own is doubled, so that a run of tildes is odd only where a number follows it.
"""

import re
from typing import Final

from ledger.reference import SourceRef

LINE_START: Final = "quarantine:"
"""How those owners of keys begin that are refused lines, and no persons."""
_NUMBERED: Final = re.compile(r"(?P<first>.*?(?:[^~]|^)(?:~~)*)~(?P<number>[1-9][0-9]*)", re.DOTALL)


def name_of(entity: str, source_id: str) -> str:
    """Return the first name of the person whom a record stands for."""
    return f"{entity}:{source_id.replace('~', '~~')}"


def record_of(person: str) -> SourceRef | None:
    """Return the record that a person goes by, or `None` for a refused line."""
    entity, separator, source_id = first_of(person).partition(":")
    if person.startswith(LINE_START) or not separator:
        return None
    return SourceRef(entity, source_id.replace("~~", "~"))


def first_of(person: str) -> str:
    """Return the name that a person had before any erasure."""
    found = _NUMBERED.fullmatch(person)
    return person if found is None else found["first"]


def number_of(person: str) -> int:
    """Return which of the person's names this is, counted from 1."""
    found = _NUMBERED.fullmatch(person)
    return 1 if found is None else int(found["number"])


def following(person: str) -> str:
    """Return the name that a person goes by after this one was erased."""
    return f"{first_of(person)}~{number_of(person) + 1}"
