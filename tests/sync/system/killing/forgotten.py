"""Whether an erasure happened whole or not at all, seen from outside."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.sync.system.killing.homes import Home

PERSON, STUDENT = "student:S-1", "S-1"
RECORDS = (
    "(entity, source_id) IN (('student', 'S-1'), ('enrollment', 'E-1'), ('certificate', 'D-1'))"
)
PLAIN = (b"Person Number 1", b"person1+sis@example.edu", b"2001-03-01", b"% diploma 1", b"Erasme")
"""Words of the person's own; they stand in the clear nowhere, before or after."""
_LIVE = f"generation = (SELECT generation FROM ledgers) AND {RECORDS}"
_BEGUN = "SELECT position FROM events WHERE type LIKE 'subject.%'"
_ENDED = "SELECT position FROM events WHERE type = 'subject.erased'"
_KEY = f"SELECT wrapped FROM person_keys WHERE person = '{PERSON}'"
_DOCUMENTS = "SELECT size FROM documents"
# A lane that is a digest was made from the data; one of source ids says nothing more than they do.
_TRACES = (
    f"SELECT digest FROM natural_keys WHERE {_LIVE}",
    f"SELECT lane FROM records WHERE {_LIVE} AND lane <> '' AND lane NOT LIKE '% %'",
    f"SELECT lane FROM operations WHERE {_LIVE} AND lane <> '' AND lane NOT LIKE '% %'",
)


@dataclass(frozen=True, slots=True)
class Secret:
    """What opened a person's data before, as it lay in the vault."""

    wrapped: tuple[bytes, ...]

    @classmethod
    def of(cls, home: Home) -> "Secret":
        """Take note of it while it is there."""
        return cls(tuple(_keys(home)))


def erasure_faults(home: Home, secret: Secret) -> Iterator[str]:
    """Tell what of an erasure is missing, once somebody opened the ledger again."""
    contents = list(home.contents())
    plain = [(name, word) for name, content in contents for word in PLAIN if word in content]
    yield from (f"G12: {word!r} stands in {name}" for name, word in plain if "told" not in name)
    if not home.rows(_BEGUN):
        if not _keys(home):
            yield "G12: the key is gone, and the log says nothing"
        return
    if not home.rows(_ENDED):
        yield "G12: the erasure was begun and is not finished"
    if _keys(home):
        yield "G12: the person's key is still there"
    if home.rows(_DOCUMENTS, "vault"):
        yield "G12: the person's document is still there"
    yield from (f"G12: {query} still finds something" for query in _TRACES if home.rows(query))
    registers = [content for name, content in contents if name.endswith(".erased")]
    if not any(PERSON.encode() in content for content in registers):
        yield "G12: the register does not name the person"
    for wrapped in secret.wrapped:
        yield from (
            f"G12: the wrapped key can still be read in {name}"
            for name, content in contents
            if wrapped in content
        )


def _keys(home: Home) -> list[bytes]:
    """Return the person's wrapped keys; an empty one stands for a key that is gone."""
    return [bytes(row[0]) for row in home.rows(_KEY, "vault") if row[0]]
