"""The verdict: what the practice service's own truth says about its callers."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from sync.simulator.journal import Journal
from sync.simulator.message import JsonObject
from sync.simulator.tables import Record, Store, fold

_LIVE_CERTIFICATES = frozenset({"draft", "issued"})
Key = Callable[[Record], tuple[str, ...] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Counts of what should never happen, and a summary of what did."""

    # Live records too many, by table.
    duplicates: Mapping[str, int]
    repeated_notifications: int
    resent_after_refusal: int
    needless_updates: int
    unknown_references: int
    unknown_paths: int
    repeated_attachments: int
    used_files: int
    parents_in_updates: int
    missing_user_agent: int
    missing_accept: int
    missing_tenant: int
    # Not wrong in themselves.
    deletes: int
    notifications: int
    requests: Mapping[str, int]
    statuses: Mapping[str, int]
    writes: Mapping[str, int]
    records: Mapping[str, int]

    @property
    def faults(self) -> dict[str, int]:
        """Return every count that should be zero and is not."""
        counts = {f"duplicate {name}": count for name, count in self.duplicates.items()}
        for name in _FAULTS:
            counts[name] = getattr(self, name)
        return {name: count for name, count in counts.items() if count}

    @property
    def is_clean(self) -> bool:
        """Tell whether nothing happened that never should."""
        return not self.faults

    def as_json(self) -> JsonObject:
        """Return the verdict as JSON can carry it."""
        return {**asdict(self), "faults": self.faults, "is_clean": self.is_clean}


_FAULTS = (
    "repeated_notifications",
    "resent_after_refusal",
    "needless_updates",
    "unknown_references",
    "unknown_paths",
    "repeated_attachments",
    "used_files",
    "parents_in_updates",
    "missing_user_agent",
    "missing_accept",
    "missing_tenant",
)


def judge(store: Store, journal: Journal, *, tenant: str | None = None) -> Verdict:
    """Return the verdict over all records, or those of one tenant."""
    marks = journal.tally.marks
    return Verdict(
        duplicates={name: _duplicates(store, name, tenant) for name in _KEYS},
        repeated_notifications=sum(n - 1 for n in journal.tally.notifications.values()),
        resent_after_refusal=marks["resent_after_refusal"],
        needless_updates=marks["needless_update"],
        unknown_references=marks["unknown_reference"],
        unknown_paths=marks["unknown_path"],
        repeated_attachments=marks["repeated_attach"],
        used_files=marks["used_file"],
        parents_in_updates=marks["parent_in_update"],
        missing_user_agent=marks["missing_user_agent"],
        missing_accept=marks["missing_accept"],
        missing_tenant=marks["missing_tenant"],
        deletes=marks["delete"],
        notifications=sum(journal.tally.notifications.values()),
        requests=dict(journal.tally.requests),
        statuses=dict(journal.tally.statuses),
        writes=dict(journal.tally.writes),
        records={name: len(_live(store, name, tenant)) for name in store.tables},
    )


def _live(store: Store, name: str, tenant: str | None) -> list[Record]:
    return [
        record
        for record in store.table(name).everything()
        if record.deleted_at is None and (tenant is None or record.tenant == tenant)
    ]


def _duplicates(store: Store, name: str, tenant: str | None) -> int:
    key = _KEYS[name]
    counts = Counter(
        (record.tenant, *found)
        for record in _live(store, name, tenant)
        if (found := key(record)) is not None
    )
    return sum(count - 1 for count in counts.values())


def _columns(*names: str) -> Key:
    def key(record: Record) -> tuple[str, ...] | None:
        if record.values.get(names[-1]) is None:
            return None
        return tuple(fold(record.values.get(name)).strip() for name in names)

    return key


def _certificate_key(record: Record) -> tuple[str, ...] | None:
    if record.values.get("status") not in _LIVE_CERTIFICATES:
        return None
    return (record.text("course_uuid"), record.text("student_uuid"))


_KEYS: Mapping[str, Key] = {
    "institutions": _columns("tax_id", "name"),
    "organizations": _columns("institution_uuid", "code", "name"),
    "courses": _columns("institution_uuid", "code"),
    "modules": _columns("institution_uuid", "code"),
    "module_groups": _columns("course_uuid", "name"),
    "attachments": _columns("course_uuid", "module_uuid"),
    "cohorts": _columns("code"),
    "students": _columns("email"),
    "enrollments": _columns("cohort_uuid", "course_uuid", "student_uuid"),
    "certificates": _certificate_key,
}
