"""What an ingest did, counted: every line is taken, duplicate or quarantined."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sync.resources.definition import Fault
from sync.sources.item import Refused, Skipped


class Intake(StrEnum):
    """What the ledger did with an event that was offered."""

    TAKEN = "taken"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    FOREIGN_SOURCE = "foreign_source"
    DOCUMENT_USED = "document_used"
    RESERVED_SOURCE = "reserved_source"
    PERSON_ERASED = "person_erased"


REFUSALS: Mapping[Intake, Fault] = {
    Intake.CONFLICT: Fault(
        "id",
        "conflict",
        "the same source and id came before with other content; give a changed event a new id",
    ),
    Intake.FOREIGN_SOURCE: Fault(
        "source",
        "foreign_source",
        "another source named this record first; use other ids, or declare that both share theirs",
    ),
    Intake.DOCUMENT_USED: Fault(
        "data.document",
        "document_used",
        "another certificate has the same document, and DokStamp takes no file twice;"
        " make a new PDF",
    ),
    Intake.RESERVED_SOURCE: Fault(
        "source",
        "reserved_source",
        "only the ledger itself writes under this source; use the source system's own",
    ),
    Intake.PERSON_ERASED: Fault(
        "subject",
        "person_erased",
        "its person was erased, or is being erased; who is to be let in again, deliberately, is"
        " let in with `quarantine release ID --readmit`",
    ),
}


@dataclass(frozen=True, slots=True)
class IngestReport:
    """The counts of one ingest; `taken + duplicate + quarantined == lines`."""

    lines: int = 0
    taken: int = 0
    duplicate: int = 0
    quarantined: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    """How many lines were refused for each reason; a line may have several."""
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Rows of a package that are no events, by reason; they are not among the lines."""


class Tally:
    """The counts of an ingest that is still going on."""

    def __init__(self) -> None:
        self._outcomes: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._skipped: Counter[str] = Counter()

    def add(self, outcome: Intake | Refused | Skipped) -> None:
        """Count one line."""
        match outcome:
            case Skipped(reason):
                self._skipped[reason] += 1
            case Refused(reasons):
                self._outcomes["quarantined"] += 1
                self._reasons.update({reason.code for reason in reasons})
            case Intake():
                self._outcomes[outcome.value] += 1

    def report(self) -> IngestReport:
        """Return the counts so far."""
        return IngestReport(
            lines=self._outcomes.total(),
            taken=self._outcomes["taken"],
            duplicate=self._outcomes["duplicate"],
            quarantined=self._outcomes["quarantined"],
            reasons=dict(sorted(self._reasons.items())),
            skipped=dict(sorted(self._skipped.items())),
        )
