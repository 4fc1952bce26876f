"""Paths as signals name them: the same for every record, so that counting them stays cheap."""

import re
from typing import Final

PLACEHOLDER: Final = "{uuid}"
# Words of DokStamp's API hold no digits; whatever else stands between slashes names a record.
_WORD: Final = re.compile(r"[a-z]+(?:[-_][a-z]+)*|\{[a-z]+\}")
_LETTERS_MAX: Final = 30


def template(path: str) -> str:
    """Return a path with a placeholder for each record that it names."""
    return "/".join(map(_segment, path.split("/")))


def _segment(segment: str) -> str:
    is_word = len(segment) <= _LETTERS_MAX and _WORD.fullmatch(segment)
    return segment if is_word or not segment else PLACEHOLDER
