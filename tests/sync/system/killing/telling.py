"""What the phases tell: a few records, and a graduation."""

from tests.sync.system.university import CATALOGUE, CERTIFICATES, PEOPLE, Told

_LEFT_OUT = frozenset({"organization_id", "cohort_id"})


def _chosen(names: tuple[str, ...]) -> tuple[Told, ...]:
    found = {told[1]: told for told in (*CATALOGUE, *PEOPLE, *CERTIFICATES)}
    return tuple(_without_extras(found[name]) for name in names)


def _without_extras(told: Told) -> Told:
    event_type, subject, data = told
    kept = {name: value for name, value in (data or {}).items() if name not in _LEFT_OUT}
    return event_type, subject, kept


FIRST, SECOND = _chosen(("U", "S-1")), _chosen(("M-1", "M-2"))
FEW = FIRST + SECOND
"""What most phases tell: two records, and two that wait for the first."""
GRADUATION = _chosen(("U", "C-1", "S-1", "E-1", "D-1"))
"""What is settled: every step of a conversation is there, a file that is uploaded included."""
SPOILT = b'{"specversion": "1.0", "id": "spoilt", "type": "student.upserted"\n'

CHANGE: tuple[Told, ...] = (
    ("student.upserted", "S-1", {**(GRADUATION[2][2] or {}), "social_name": "Erasme"}),
)
