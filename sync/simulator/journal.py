"""The journal: every request, every write and every notice, and what callers did wrong."""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime

from sync.simulator.call import Effect
from sync.simulator.message import JsonObject, SimulatedRequest
from sync.simulator.multipart import digest
from sync.simulator.tables import Record, stamp

# Marks that a caller earns innocently by repeating what it got no answer to.
_FORGIVEN_AFTER_LOSS = frozenset(
    {"needless_update", "repeated_revoke", "unknown_path", "used_file"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestEntry:
    """One request: what the caller saw (`status`) and what the service did (`effect_status`)."""

    number: int
    at: datetime
    method: str
    path: str
    query_names: tuple[str, ...]
    tenant: str
    body_sha256: str
    user_agent: str
    status: int | None
    effect_status: int | None
    fault: str
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteEntry:
    """One change to one record."""

    request: int
    at: datetime
    tenant: str
    action: str
    table: str
    uuid: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationEntry:
    """One notice sent to a student about a certificate."""

    request: int
    at: datetime
    tenant: str
    certificate: str
    student: str
    course: str


@dataclass(slots=True)
class Tally:
    """Counts that stay complete when old entries are dropped."""

    requests: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    marks: Counter[str] = field(default_factory=Counter)
    writes: Counter[str] = field(default_factory=Counter)
    notifications: Counter[str] = field(default_factory=Counter)


class Journal:
    """Keeps entries in order of arrival, all of them or the newest few."""

    def __init__(self, *, entries_max: int | None = None) -> None:
        self.requests: deque[RequestEntry] = deque(maxlen=entries_max)
        self.writes: deque[WriteEntry] = deque(maxlen=entries_max)
        self.notifications: deque[NotificationEntry] = deque(maxlen=entries_max)
        self.tally = Tally()
        self._numbers = 0
        self._refused: set[tuple[str, ...]] = set()
        self._lost: set[tuple[str, ...]] = set()

    def next_number(self) -> int:
        """Return the number of the request about to be answered."""
        self._numbers += 1
        return self._numbers

    def enter(
        self,
        request: SimulatedRequest,
        *,
        number: int,
        now: datetime,
        seen: int | None,
        done: int | None = None,
        fault: str = "",
        marks: frozenset[str] = frozenset(),
    ) -> None:
        """Write down one request, with the status the caller sees and the one it earned."""
        body_sha256 = digest(request)
        entry = RequestEntry(
            number=number,
            at=now,
            method=request.method,
            path=request.path,
            query_names=tuple(name for name, _ in request.query),
            tenant=request.header("x-tenant"),
            body_sha256=body_sha256,
            user_agent=request.header("user-agent"),
            status=seen,
            effect_status=done,
            fault=fault,
            marks=tuple(sorted(self._judge(request, body_sha256, marks, seen=seen, fault=fault))),
        )
        self.requests.append(entry)
        self.tally.requests[entry.method] += 1
        self.tally.statuses[str(seen)] += 1
        self.tally.marks.update(entry.marks)

    def complete(self, number: int, *, seen: int | None, done: int | None) -> None:
        """Fill in what became of a request that took effect later than it arrived."""
        for index in range(len(self.requests) - 1, -1, -1):
            if self.requests[index].number == number:
                entry = self.requests[index]
                self.requests[index] = replace(entry, status=seen, effect_status=done)
                return

    def write(self, effect: Effect, *, request: int, record: Record, now: datetime) -> None:
        """Write down one effect."""
        if effect.action == "notified":
            self._notify(record, request=request, now=now)
            return
        self.tally.writes[f"{effect.table} {effect.action}"] += 1
        self.writes.append(
            WriteEntry(
                request=request,
                at=now,
                tenant=record.tenant,
                action=effect.action,
                table=effect.table,
                uuid=effect.uuid,
                fields=effect.fields,
            )
        )

    def _notify(self, record: Record, *, request: int, now: datetime) -> None:
        self.tally.notifications[record.uuid] += 1
        self.notifications.append(
            NotificationEntry(
                request=request,
                at=now,
                tenant=record.tenant,
                certificate=record.uuid,
                student=record.text("student_uuid"),
                course=record.text("course_uuid"),
            )
        )

    def _judge(
        self,
        request: SimulatedRequest,
        body_sha256: str,
        marks: frozenset[str],
        *,
        seen: int | None,
        fault: str,
    ) -> frozenset[str]:
        """Return the caller's faults, and remember how this request ended for the caller."""
        if not request.header("user-agent"):
            marks |= {"missing_user_agent"}
        if not request.is_unsafe or request.path.startswith(("/oauth/", "/auth/")):
            return marks
        key = (request.header("x-tenant"), request.method, request.path, body_sha256)
        if key in self._lost:
            marks -= _FORGIVEN_AFTER_LOSS
        if key in self._refused:
            marks |= {"resent_after_refusal"}
        if seen is not None and 400 <= seen < 500 and seen not in {401, 429}:
            self._refused.add(key)
        if fault and seen not in {401, 429}:
            self._lost.add(key)
        return marks


def entry_json(entry: RequestEntry | WriteEntry | NotificationEntry) -> JsonObject:
    """Return an entry as JSON can carry it."""
    values: Mapping[str, object] = asdict(entry)
    return {
        name: stamp(value) if isinstance(value, datetime) else value
        for name, value in values.items()
    }
