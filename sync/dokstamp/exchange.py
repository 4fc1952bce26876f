"""An exchange: one HTTP request and its answer, as evidence that names nobody."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256

from ledger.reference import Json


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the ledger keeps of one request: never a body, a query value or a file's uuid."""

    method: str
    route: str
    status: int | None
    """The HTTP status; `None` when no answer came."""
    started_at: datetime
    seconds: float
    request_sha256: str = field(default="", repr=False)
    """Of the body's bytes, or of the uploaded file's; nothing without one, or with secrets."""
    answer_sha256: str = ""
    fault: str = ""
    bytes_sent: int = 0
    bytes_received: int = 0

    def to_json(self) -> dict[str, Json]:
        """Return the exchange as canonical JSON takes it: without floats."""
        moment = self.started_at.astimezone(UTC)
        return {
            "method": self.method,
            "route": self.route,
            "status": self.status,
            "started_at": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "seconds": f"{self.seconds:.3f}",
            "request_sha256": self.request_sha256,
            "answer_sha256": self.answer_sha256,
            # A member of an enumeration is no plain text, which is all that the log takes.
            "fault": str(self.fault),
            "bytes_sent": self.bytes_sent,
            "bytes_received": self.bytes_received,
        }


def digest(content: bytes) -> str:
    """Return the SHA-256 of these bytes in hex, or nothing for no bytes."""
    return sha256(content).hexdigest() if content else ""
