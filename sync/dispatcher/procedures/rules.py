"""The settings that procedures decide by, frozen for a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sync.dokstamp.listing import PAGE_SIZE
from sync.resources.certificate import REVOCATION_TEXTS


class Institutions(StrEnum):
    """Whether institutions may be made, or only bound by a person."""

    CREATE = "create"
    BIND = "bind"


class IssueStyle(StrEnum):
    """Which fields tell DokStamp to issue a certificate (API 11.11, 13 no. 5)."""

    BOTH = "both"
    FINISH = "finish"
    STATUS = "status"


class DeletePolicy(StrEnum):
    """Whether anything is ever deleted (API 9)."""

    ARCHIVE_ONLY = "archive_only"
    CHECKED_DELETE = "checked_delete"


@dataclass(frozen=True, slots=True)
class Rules:
    """Every setting that changes what a procedure does."""

    institutions: Institutions = Institutions.CREATE
    issue_style: IssueStyle = IssueStyle.BOTH
    issue_certificates: bool = True
    is_suspended: bool = False
    """Whether DokStamp showed the institution as suspended: nothing is issued then (API 11.1)."""
    issue_polls_max: int = 5
    """How often an unfinished certificate is looked at before a person is told."""
    issue_poll_seconds: float = 24.0
    delete_policy: DeletePolicy = DeletePolicy.ARCHIVE_ONLY
    delete_pause_seconds: float = 30.0
    """The pause before the one more try of a refused delete (API 6.4)."""
    reattach_on_change: bool = True
    settle_seconds: float = 30.0
    """How long what was written may be missing from lists."""
    page_size: int = PAGE_SIZE
    upload_bytes_max: int = 10 * 1024 * 1024
    revocation_texts: Mapping[str, str] = field(default_factory=lambda: REVOCATION_TEXTS)
    """What the public reads for each reason code: neutral, nothing about the person."""
