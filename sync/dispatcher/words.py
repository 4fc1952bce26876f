"""Words for a person, and those for what the plan itself held, refused or found done already."""

from typing import Final, NamedTuple


class Words(NamedTuple):
    """What happened, and what a person can do about it."""

    what: str
    todo: str = ""


NOTHING_TO_DO: Final = "Nothing needs to be done."

PLANNED: Final[dict[str, Words]] = {
    "agrees": Words("DokStamp has this state already.", NOTHING_TO_DO),
    "already_retired": Words("The record is retired already, or about to be.", NOTHING_TO_DO),
    "never_issued": Words("There was no certificate to revoke.", NOTHING_TO_DO),
    "parent_changed": Words(
        "The event moves the record to another parent, which DokStamp cannot do.",
        "Send it under a new id and remove the old one, or `outbox discard` it.",
    ),
    "certificate_changed": Words(
        "Other content was asked for while the certificate is, or may be, live.",
        "Revoke it and request a new one under a new id, or `outbox discard` it.",
    ),
    "certificate_revoked": Words(
        "The certificate was revoked, and nothing returns to issued.",
        "Request a new one under a new id, with a PDF of its own, and `outbox discard` this.",
    ),
    "key_taken": Words(
        "Another record of the source holds this natural key and does not give it up.",
        "Correct one of the two in the source, or `outbox discard` this.",
    ),
    "key_cycle": Words(
        "Records of the source exchange their natural keys in a circle.",
        "Give one of them a key of its own for a moment, then send both again; or "
        "`outbox discard` this.",
    ),
    "mass_change": Words(
        "Unusually many records of this kind were changed or retired at once.",
        "If that is meant, `outbox approve` the batch; if not, `outbox discard` it.",
    ),
    "erased": Words("The person was erased before this was planned.", NOTHING_TO_DO),
    "cannot_plan": Words(
        "The event could not be planned, so its record stands still.",
        "Send a corrected event for this record, or `outbox discard` this; and report the fault.",
    ),
}
"""The codes of the projector, which decides before anything is sent."""

ERASED: Final[dict[str, Words]] = {
    "person_erased": Words(
        "The person was erased, or is being erased, so nothing more is sent about them.",
        "Nothing needs to be done: it is given up together with the erasure.",
    ),
    "names_erased": Words(
        "It waited for a record of a person who was erased, and that record changes no more.",
        "`outbox approve` it to go on without, or `outbox discard` it.",
    ),
}
"""The codes of erasures, on the person's own operations and on those that waited for them."""

LOOKS: Final[dict[str, Words]] = {
    "late_look": Words(
        "It was made after an unclear answer, so it is looked at once more after a while.",
        NOTHING_TO_DO,
    ),
    "nothing_late": Words(
        "It was looked at once more: no second record came of the unclear answer.", NOTHING_TO_DO
    ),
    "not_looked": Words(
        "What it belongs to is not known any more, so there was nothing to look through.",
        NOTHING_TO_DO,
    ),
    "second_record": Words(
        "A request without an answer took effect very late: DokStamp has a second record like "
        "the one made in its place. Nothing was deleted.",
        "Compare the two in DokStamp (`mapping find` tells which one is bound; `mapping bind "
        "--instead-of` takes the other one), remove the superfluous one there and run "
        "`outbox retry`; or `outbox discard` this if both are meant.",
    ),
}
"""The codes of looks at what was made after an unclear answer."""
