"""Why an operation stands where it stands: codes, and for each the words for a person.

The ledger keeps the code; `explain` adds what happened and what can be done about it.
"""

from enum import StrEnum
from typing import Final

from sync.dispatcher.words import ERASED, LOOKS, NOTHING_TO_DO, PLANNED, Words


class Reason(StrEnum):
    """The codes that procedures settle with."""

    # Done, with something to remember.
    NEVER_MADE = "never_made"
    RECORDED_ONLY = "recorded_only"
    ALREADY_GONE = "already_gone"
    ALREADY_SO = "already_so"
    DELETED = "deleted"
    KEPT_IN_USE = "kept_in_use"
    KEPT_DELETE_REFUSED = "kept_delete_refused"
    UNVERIFIED = "unverified"
    EXPIRED = "expired"
    ISSUED_WITHOUT_URL = "issued_without_url"
    NOTHING_LATE = "nothing_late"
    NOT_LOOKED = "not_looked"

    # Put off.
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    UNAUTHORISED = "unauthorised"
    UNCERTAIN = "uncertain"
    NOT_UNDERSTOOD = "not_understood"
    LIST_UNKNOWN = "list_unknown"
    NOT_LISTED = "not_listed"
    ISSUING = "issuing"
    UPLOAD_UNCERTAIN = "upload_uncertain"
    DELETE_REFUSED = "delete_refused"
    DETACH_REFUSED = "detach_refused"
    AFTER_OTHERS = "after_others"
    INTERRUPTED = "interrupted"
    UNEXPECTED = "unexpected"

    # Held for a person.
    SEVERAL_MATCHES = "several_matches"
    SECOND_RECORD = "second_record"
    HELD_BY_ANOTHER = "held_by_another"
    IDENTITY_DIFFERS = "identity_differs"
    FORMER_ADDRESS = "former_address"
    CODE_UNDER_ANOTHER_COURSE = "code_under_another_course"
    KEY_NOT_SHOWN = "key_not_shown"
    HIDDEN_RECORD = "hidden_record"
    REFERENCE_MISSING = "reference_missing"
    MISSING = "missing"
    EMAIL_TAKEN = "email_taken"
    CODE_TAKEN = "code_taken"
    NOT_TAKEN = "not_taken"
    READ_REFUSED = "read_refused"
    CHANGE_REFUSED = "change_refused"
    BIND_INSTITUTION = "bind_institution"
    INSTITUTION_SUSPENDED = "institution_suspended"
    CERTIFICATE_NAMES_IT = "certificate_names_it"
    REATTACH_IS_OFF = "reattach_is_off"
    ATTACH_NOT_SEEN = "attach_not_seen"
    DETACH_NOT_SEEN = "detach_not_seen"
    ISSUING_IS_OFF = "issuing_is_off"
    DOCUMENT_MISSING = "document_missing"
    ANOTHER_CERTIFICATE = "another_certificate"
    FILE_USED = "file_used"
    FILE_DIFFERS = "file_differs"
    FILE_REFUSED = "file_refused"
    ISSUE_STYLE_REFUSED = "issue_style_refused"
    LEFT_IN_DRAFT = "left_in_draft"
    REVOKED_MEANWHILE = "revoked_meanwhile"
    NOT_REVOCABLE = "not_revocable"
    UNKNOWN_REVOCATION = "unknown_revocation"
    REVOKE_REFUSED = "revoke_refused"
    PERSON_ERASED = "person_erased"
    NAMES_ERASED = "names_erased"

    # Dead until corrected.
    REFUSED = "refused"
    INCONSISTENT = "inconsistent"
    NOT_A_PDF = "not_a_pdf"
    TOO_LARGE = "too_large"


_BY_ITSELF: Final = "It is tried again by itself."
_CORRECT: Final = (
    "Correct the record in the source: the corrected event takes this one's place. "
    "Or `outbox discard` it."
)
_RETRY: Final = "then run `outbox retry`."
_BIND: Final = "If it is the right one, `mapping bind` it, and this goes on by itself."

WORDS: Final[dict[str, Words]] = {
    **PLANNED,
    **LOOKS,
    Reason.NEVER_MADE: Words("DokStamp never had it, so nothing was called.", NOTHING_TO_DO),
    Reason.RECORDED_ONLY: Words(
        "The removal is on record; DokStamp keeps records of this kind as history.", NOTHING_TO_DO
    ),
    Reason.ALREADY_GONE: Words("DokStamp no longer had the record.", NOTHING_TO_DO),
    Reason.ALREADY_SO: Words("DokStamp already showed it this way.", NOTHING_TO_DO),
    Reason.DELETED: Words("Nothing depended on the record, so it was deleted.", NOTHING_TO_DO),
    Reason.KEPT_IN_USE: Words(
        "Other records depend on it, so it was not deleted; it was archived where that exists.",
        NOTHING_TO_DO,
    ),
    Reason.KEPT_DELETE_REFUSED: Words(
        "DokStamp refused to delete it; it was archived where that exists.", NOTHING_TO_DO
    ),
    Reason.UNVERIFIED: Words(
        "The module was attached before; its order, group and hours cannot be read.",
        "If they matter, remove the attachment in the source and add it again.",
    ),
    Reason.EXPIRED: Words("The certificate has passed its validity.", NOTHING_TO_DO),
    Reason.ISSUED_WITHOUT_URL: Words(
        "The certificate is issued, but DokStamp has shown no verification address for it yet.",
        "Look it up in DokStamp later.",
    ),
    Reason.THROTTLED: Words("DokStamp asks for a slower pace.", _BY_ITSELF),
    Reason.UNAVAILABLE: Words("DokStamp could not be reached or failed to answer.", _BY_ITSELF),
    Reason.UNAUTHORISED: Words(
        "DokStamp does not accept the credentials or the tenant.",
        "Check CLIENT_ID, CLIENT_SECRET, TENANT and BASE_URL, then sync again.",
    ),
    Reason.UNCERTAIN: Words(
        "A change was sent and no clear answer came back.",
        "What became of it is found out by itself.",
    ),
    Reason.NOT_UNDERSTOOD: Words("DokStamp's answer makes no sense.", _BY_ITSELF),
    Reason.LIST_UNKNOWN: Words(
        "A list could not be read whole, so nothing may be concluded from it.",
        "Check PAGE_SIZE and that DokStamp answers lists in full, " + _RETRY,
    ),
    Reason.NOT_LISTED: Words(
        "A list does not show the record; it may be too new for it.", "It is looked at again."
    ),
    Reason.ISSUING: Words("DokStamp is still at work on the certificate.", _BY_ITSELF),
    Reason.UPLOAD_UNCERTAIN: Words(
        "The upload got no clear answer; sending the same file again is harmless.", _BY_ITSELF
    ),
    Reason.DELETE_REFUSED: Words("DokStamp refused the delete; it is tried once more.", _BY_ITSELF),
    Reason.DETACH_REFUSED: Words(
        "DokStamp refuses to detach the module.",
        "Detach it in the dashboard, " + _RETRY,
    ),
    Reason.AFTER_OTHERS: Words("It waits for others of the same conversation.", _BY_ITSELF),
    Reason.INTERRUPTED: Words("The program was stopped while it worked on it.", _BY_ITSELF),
    Reason.UNEXPECTED: Words(
        "The program itself failed while working on it.",
        "It is tried again a few times; look at the log for the cause, " + _RETRY,
    ),
    Reason.SEVERAL_MATCHES: Words(
        "Several records in DokStamp match; none was taken.",
        "Find the right one and `mapping bind` it; this goes on by itself then.",
    ),
    Reason.HELD_BY_ANOTHER: Words(
        "The only match in DokStamp already stands for another source record.",
        "Merge the two in the source, or give one of them a key of its own, " + _RETRY,
    ),
    Reason.IDENTITY_DIFFERS: Words(
        "DokStamp has a student with this e-mail address and another name or birth date.",
        f"Compare the two. {_BIND} Two persons cannot share an address.",
    ),
    Reason.FORMER_ADDRESS: Words(
        "DokStamp has a student with an address that this one had before, and with another name "
        "or birth date than today's.",
        f"Compare the two. {_BIND} If it is somebody else, `outbox approve` this: a new student "
        "is made.",
    ),
    Reason.CODE_UNDER_ANOTHER_COURSE: Words(
        "DokStamp has a cohort with this code under another course.",
        "Give one of the two another code in the source, or `outbox discard` this.",
    ),
    Reason.KEY_NOT_SHOWN: Words(
        "DokStamp shows a record like this one without saying what it belongs to.",
        f"Look at it in DokStamp. {_BIND}",
    ),
    Reason.HIDDEN_RECORD: Words(
        "DokStamp says that the key is taken, yet no list shows the record: it was deleted.",
        f"Ask DokStamp to restore it, or change the key in the source. {_BIND}",
    ),
    Reason.REFERENCE_MISSING: Words(
        "A record that this one names is not in DokStamp any more.",
        "Have it restored, or `mapping release` it and send its event again, " + _RETRY,
    ),
    Reason.MISSING: Words(
        "The record is not in DokStamp any more.",
        "Have it restored, or `mapping release` it so that it is made anew, " + _RETRY,
    ),
    Reason.EMAIL_TAKEN: Words(
        "Another student in DokStamp has this e-mail address, or it is not accepted.",
        "Two persons cannot share an address: correct it in the source, or there, " + _RETRY,
    ),
    Reason.CODE_TAKEN: Words(
        "Another record in DokStamp has this code, so the old one was kept.", _CORRECT
    ),
    Reason.NOT_TAKEN: Words(
        "DokStamp accepted the change but still shows the old value.",
        "Look at the record in DokStamp, " + _RETRY,
    ),
    Reason.READ_REFUSED: Words(
        "DokStamp refuses to show the record.", "Look at it in DokStamp, " + _RETRY
    ),
    Reason.CHANGE_REFUSED: Words(
        "DokStamp shows the record but knows no way to change it.",
        "Change it in the dashboard, " + _RETRY,
    ),
    Reason.BIND_INSTITUTION: Words(
        "INSTITUTIONS is `bind`, so no institution is made.",
        "Run `mapping bind institution SOURCE_ID UUID`; this goes on by itself then.",
    ),
    Reason.INSTITUTION_SUSPENDED: Words(
        "DokStamp shows the institution as suspended.",
        "Clear that up with DokStamp, " + _RETRY,
    ),
    Reason.CERTIFICATE_NAMES_IT: Words(
        "A certificate names this enrollment, so the enrollment stays as it is.",
        "Revoke the certificate if it is wrong; either way `outbox discard` this change.",
    ),
    Reason.REATTACH_IS_OFF: Words(
        "The attachment changed, and changing one means to detach and attach it again.",
        "Turn REATTACH_ON_CHANGE on, or change it in the dashboard and `outbox discard` this.",
    ),
    Reason.ATTACH_NOT_SEEN: Words(
        "DokStamp accepted to attach the module but still lists it as not attached.",
        "Look at the course in DokStamp, " + _RETRY,
    ),
    Reason.DETACH_NOT_SEEN: Words(
        "DokStamp accepted to detach the module but does not list it as free.",
        "Look at the course in DokStamp, " + _RETRY,
    ),
    Reason.ISSUING_IS_OFF: Words("Issuing is turned off.", "Turn ISSUE_CERTIFICATES on, " + _RETRY),
    Reason.DOCUMENT_MISSING: Words(
        "The document of this certificate is not in the store.",
        "Run `document add FILE`, " + _RETRY,
    ),
    Reason.ANOTHER_CERTIFICATE: Words(
        "The student already has a draft or issued certificate for this course.",
        "Revoke that one first, `mapping bind` it if it is this one, or `outbox discard` this.",
    ),
    Reason.FILE_USED: Words(
        "DokStamp has this file in use for another certificate, or for one that it does not show.",
        "If DokStamp shows that certificate, `mapping bind` it and this goes on. Otherwise "
        "request it again with a PDF of its own, and `outbox discard` this.",
    ),
    Reason.FILE_DIFFERS: Words(
        "DokStamp's record of the uploaded file does not fit the file.",
        "Look at the file in DokStamp, " + _RETRY,
    ),
    Reason.FILE_REFUSED: Words(
        "DokStamp does not accept the file.",
        "Request the certificate again with another PDF, and `outbox discard` this.",
    ),
    Reason.ISSUE_STYLE_REFUSED: Words(
        "DokStamp does not accept the fields that tell it to issue.",
        "Set ISSUE_STYLE to `finish` or `status`, " + _RETRY,
    ),
    Reason.LEFT_IN_DRAFT: Words(
        "The certificate exists but stays a draft; drafts are never promoted from here.",
        "Issue it in the dashboard, " + _RETRY,
    ),
    Reason.REVOKED_MEANWHILE: Words(
        "The certificate was made and then revoked by somebody else.",
        "Request a new one under a new id, with a PDF of its own, and `outbox discard` this.",
    ),
    Reason.NOT_REVOCABLE: Words(
        "Only an issued certificate can be revoked, and this one is not issued.",
        "Deal with it in the dashboard, " + _RETRY,
    ),
    Reason.UNKNOWN_REVOCATION: Words(
        "There is no public text for this revocation's reason code.",
        "Add one to REVOCATION_TEXTS, " + _RETRY,
    ),
    Reason.REVOKE_REFUSED: Words(
        "DokStamp refuses to revoke the certificate.", "Revoke it in the dashboard, " + _RETRY
    ),
    **ERASED,
    Reason.REFUSED: Words("DokStamp refuses the content.", _CORRECT),
    Reason.INCONSISTENT: Words("The certificate and the records it names do not agree.", _CORRECT),
    Reason.NOT_A_PDF: Words(
        "The document is not a PDF.",
        "Request the certificate again with a PDF, and `outbox discard` this.",
    ),
    Reason.TOO_LARGE: Words(
        "The document is larger than UPLOAD_BYTES_MAX.",
        "Request it with a smaller PDF; or raise the limit if DokStamp takes larger files, "
        + _RETRY,
    ),
}


def explain(reason: str, fields: tuple[str, ...] = ()) -> str:
    """Return a reason in words: what happened, which fields, and what to do."""
    words = WORDS.get(reason, Words(reason.replace("_", " ")))
    named = f" Fields: {', '.join(fields)}." if fields else ""
    return f"{words.what}{named} {words.todo}".strip()
