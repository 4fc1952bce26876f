"""Outage windows: times in which the practice service cannot be used at all."""

from dataclasses import dataclass
from datetime import datetime

from sync.errors import InputError
from sync.simulator.message import CUT, SimulatedResponse
from sync.simulator.refusal import RefusedError, refused_response


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A window in which every connection is cut, or every answer is a 503."""

    mode: str = "cut"
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.mode not in {"cut", "503"}:
            raise InputError(f"An outage is 'cut' or '503', not {self.mode!r}.")

    def answer(self, now: datetime) -> SimulatedResponse | None:
        """Return what a request meets inside the window, or none outside."""
        if self.starts_at is not None and now < self.starts_at:
            return None
        if self.ends_at is not None and now >= self.ends_at:
            return None
        return CUT if self.mode == "cut" else refused_response(RefusedError(503), edition="new")
