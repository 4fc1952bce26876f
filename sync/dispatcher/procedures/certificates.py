"""Whole lists of certificates, and what their rows say about other records."""

from collections.abc import Callable, Generator, Mapping

from ledger.reference import TargetId, same_target
from sync.dispatcher.asking import walk
from sync.dispatcher.decide import held, put_off_unknown
from sync.dispatcher.procedures.requests import target_of
from sync.dispatcher.procedures.rules import Rules
from sync.dispatcher.reasons import Reason
from sync.dispatcher.step import Reply, Settlement, Step, Work
from sync.dokstamp.envelope import Row
from sync.dokstamp.listing import Listing, Unknown

PATH = "/certificates"


def list_certificates(
    filters: tuple[tuple[str, str], ...], *, rules: Rules, keep: Callable[[Row], bool]
) -> Generator[Step, Reply, Listing]:
    """Return every certificate that is kept, or why the list is not known."""
    return (
        yield from walk(PATH, route=PATH, filters=filters, page_size=rules.page_size, keep=keep)
    )


def name_enrollment(
    work: Work, enrollment: TargetId, *, rules: Rules
) -> Generator[Step, Reply, Settlement | None]:
    """Return a settlement if any certificate, whatever its status, names this enrollment."""
    if work.is_certified:
        # Our own is in no list yet if it was made just now.
        return held(work, Reason.CERTIFICATE_NAMES_IT)
    student = target_of(work, "student_id")
    # By the student, so that a filter by enrollment that finds too little cannot mislead.
    by = ("enrollment_uuid", enrollment) if student is None else ("student_uuid", student)
    listing = yield from list_certificates(
        (by,), rules=rules, keep=lambda row: names(row, "enrollment", enrollment)
    )
    if isinstance(listing, Unknown):
        return put_off_unknown(work, listing)
    return held(work, Reason.CERTIFICATE_NAMES_IT) if listing.rows else None


def names(row: Row, link: str, target: TargetId | None) -> bool:
    """Tell whether a row names this record, nested or not."""
    named = named_uuid(row, link)
    return target is not None and named is not None and same_target(named, target)


def named_uuid(row: Row, link: str) -> TargetId | None:
    """Return the uuid of the record that a row names, nested or not."""
    nested = row.get(link)
    uuid = nested.get("uuid") if isinstance(nested, Mapping) else row.get(f"{link}_uuid")
    return TargetId(uuid) if isinstance(uuid, str) and uuid else None
