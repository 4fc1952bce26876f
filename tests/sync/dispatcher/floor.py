"""A dispatcher's surroundings: a real ledger, a small fake DokStamp, and a way to cut anywhere."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Generic, TypeVar

from sqlalchemy import select

from ledger.clock import Clock, ManualClock
from ledger.ledger import Ledger
from ledger.log import store as log_store
from ledger.mapping import store as mapping_store
from ledger.mapping.binding import Binding
from ledger.outbox.operation import Operation
from ledger.reference import Json, SourceRef
from ledger.schema.tables import leases
from ledger.testing import ledger_in
from sync.dispatcher.conversation_worker import Bench, ConversationWorker, Lease, Sender
from sync.dispatcher.opener_worker import Opener
from sync.dispatcher.outcome_writer import OutcomeWriter, Tenure
from sync.dispatcher.pace_worker import Pace
from sync.dispatcher.procedures import Rules
from sync.dispatcher.work_reader import WorkReader
from sync.dispatcher.worker import Dispatcher, DispatchTerms
from sync.dokstamp.answer import Answer, classify
from sync.dokstamp.exchange import Exchange, digest
from sync.dokstamp.request import Request
from tests.sync.runtime.desk import Desk

T = TypeVar("T")
HOST = "host a"
LEASE_SECONDS = 60.0
SETTLE_SECONDS = 30.0


@dataclass
class Register:
    """A fake DokStamp that knows institutions only, and does to a call what a test wants."""

    clock: Clock
    rows: list[dict[str, Any]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    before: Callable[[Request], object] = lambda _: None
    """Called first; an answer that it returns is given without doing the work."""
    after: Callable[[Request], object] = lambda _: None
    """Called last; may raise once the work is done."""
    keeps_status: bool = True
    """Whether a new record takes the status that it was sent."""
    tokens: tuple[Exchange, ...] = ()
    """What is told of how each call came by its token."""

    async def send(
        self,
        request: Request,
        *,
        timeout_seconds: float | None = None,  # noqa: ARG002 - as the client has it
    ) -> tuple[Answer, tuple[Exchange, ...]]:
        await asyncio.sleep(0)
        self.requests.append(request)
        wanted = self.before(request)
        if isinstance(wanted, Coroutine):
            wanted = await wanted
        answer = wanted if isinstance(wanted, Answer) else self._answer(request)
        self.after(request)
        await asyncio.sleep(0)
        said = Exchange(
            request.method,
            request.route,
            answer.status,
            self.clock.now(),
            seconds=0.0,
            request_sha256=digest(repr(request.body).encode()) if request.body else "",
        )
        return answer, (*self.tokens, said)

    def _answer(self, request: Request) -> Answer:
        match request.method:
            case "POST":
                row = {"uuid": f"u-{len(self.rows) + 1}", **dict(request.body or {})}
                if not self.keeps_status:
                    row["status"] = "inactive"
                self.rows.append(row)
                return answered(request, 201, {"data": row})
            case "PATCH":
                row = next(each for each in self.rows if request.path.endswith(each["uuid"]))
                row |= dict(request.body or {})
                return answered(request, 200, {"data": row})
            case _ if request.path == "/institutions":
                return answered(request, 200, listed(self.rows))
            case _:
                row = next(each for each in self.rows if request.path.endswith(each["uuid"]))
                return answered(request, 200, {"data": row})

    @property
    def unsafe(self) -> list[str]:
        return [each.method for each in self.requests if not each.is_safe]


def listed(rows: list[dict[str, Any]]) -> dict[str, Any]:
    count = len(rows)
    return {"data": rows, "meta": {"current_page": 1, "last_page": 1, "total": count}}


def answered(request: Request, status: int, body: object = None, **more: Any) -> Answer:
    return Answer(classify(request.method, status=status), status, body, **more)


def failing(status: int, *methods: str) -> Callable[[Request], Answer | None]:
    """Answer these methods, or all, with a status and do nothing."""

    def answer(request: Request) -> Answer | None:
        is_meant = not methods or request.method in methods
        return answered(request, status) if is_meant else None

    return answer


@dataclass
class Floor:
    """One ledger with operations on it, and everything that a conversation needs."""

    desk: Desk
    sender: Sender
    pace: Pace
    bench: Bench

    @property
    def ledger(self) -> Ledger:
        return self.desk.ledger

    async def institution(self, source_id: str, **data: Json) -> SourceRef:
        """Plan an institution so that it is ready to be made."""
        reference = SourceRef("institution", source_id)
        told: dict[str, Json] = {"name": f"University {source_id}", "country": "Brazil"}
        told |= {"status": "active"} | data
        await self.desk.tell("institution.upserted", reference, **told)
        await Opener(self.ledger).open_woken()
        return reference

    def dispatcher(self, *, host: str = HOST, lanes_max: int = 8) -> Dispatcher:
        return Dispatcher(self.ledger, self.bench, DispatchTerms(host, lanes_max, LEASE_SECONDS))

    async def conversation(self, *, host: str = HOST) -> ConversationWorker:
        """Claim the next operation and put its conversation together."""
        dispatcher = self.dispatcher(host=host)
        terms = dispatcher._claim_terms(1)
        started = self.ledger.clock.monotonic()
        [group] = await self.bench.writer.claim(terms)
        works = await WorkReader(self.ledger).assemble(group.operations)
        lanes = tuple(sorted({lane for each in group.operations for lane in each.lanes}))
        lease = Lease(Tenure(host, group.epoch, lanes), started + LEASE_SECONDS)
        return ConversationWorker(self.bench, works, lease)

    async def work_off(self, dispatcher: Dispatcher) -> None:
        """Dispatch until nothing is due, and let every conversation end."""
        while await dispatcher.dispatch():
            await dispatcher.drain(60)

    async def operation(self, reference: SourceRef) -> Operation:
        return await self.desk.operation(reference)

    async def binding(self, reference: SourceRef) -> Binding | None:
        return await self.ledger.read(
            lambda c: mapping_store.find(c, self.ledger.scope, reference=reference)
        )

    async def leases(self) -> list[tuple[str, float]]:
        """Return who holds a lane until when; lanes that are only shut aside."""
        rows = await self.ledger.read(
            lambda c: c.execute(select(leases.c.host, leases.c.until_seconds)).all()
        )
        return [(row.host, row.until_seconds) for row in rows if row.host]

    async def log(self, *types: str) -> list[tuple[str, dict[str, Any]]]:
        """Return the outcome events of these types, or all, with what they say."""
        stored = await self.ledger.read(
            lambda c: log_store.read_page(
                c, self.ledger.scope.ledger, after=-1, limit=10_000, is_outcome=True
            )
        )
        opened = await self.ledger.sealer.open(stored)
        return [(e.type, dict(e.public)) for e in opened if not types or e.type in types]

    async def size(self) -> int:
        return (await self.ledger.head()).size

    async def exchanges(self) -> list[str]:
        """Return what the log holds as sent, in its order."""
        return [
            f"{exchange['method']} {exchange['route']}"
            for _, public in await self.log()
            for exchange in public.get("exchanges", ())
        ]


@asynccontextmanager
async def floor_in(
    folder: Path, *, sender: Sender | None = None, clock: Clock | None = None, rate: float = 0
) -> AsyncIterator[Floor]:
    """Give a ledger in a folder with a fake register before it, or another sender."""
    clock = clock or ManualClock()
    async with ledger_in(folder, clock=clock) as ledger:
        sender = sender or Register(clock)
        pace = Pace(per_second_max=rate, lanes_max=8, clock=clock, rng=Random(1))
        bench = Bench(
            ledger=ledger,
            sender=sender,
            writer=OutcomeWriter(ledger),
            pace=pace,
            rules=Rules(),
            settle_seconds=SETTLE_SECONDS,
            request_seconds_max=30.0,
        )
        yield Floor(Desk(ledger), sender, pace, bench)


def register_of(floor: Floor) -> Register:
    assert isinstance(floor.sender, Register)
    return floor.sender


def advance(floor: Floor, seconds: float) -> None:
    assert isinstance(floor.ledger.clock, ManualClock)
    floor.ledger.clock.advance(seconds)


class Cut(Generic[T]):
    """Awaits a coroutine and cancels the task where it is suspended for the n-th time."""

    def __init__(self, work: Coroutine[Any, Any, T], *at: int) -> None:
        self._work = work
        self._at = at
        self.suspensions = 0

    def strike(self, *after: int) -> None:
        """Cancel after so many suspensions more."""
        self._at = tuple(self.suspensions + each for each in after)

    def __await__(self) -> Generator[Any, Any, T]:
        steps = self._work.__await__()
        go_on: Callable[[], Any] = partial(next, steps)
        for number in itertools.count():
            try:
                waited_for = go_on()
            except StopIteration as end:
                result: T = end.value
                return result
            self.suspensions = number + 1
            task = asyncio.current_task()
            assert task is not None
            if number in self._at:
                task.cancel()
            try:
                value = yield waited_for
            except BaseException as error:  # noqa: BLE001 - handed on to who waits inside
                go_on = partial(steps.throw, error)
            else:
                go_on = partial(steps.send, value)
        raise AssertionError


async def cut(work: Coroutine[Any, Any, object], *at: int) -> bool:
    """Run a coroutine as a task, cancelled at these suspensions; tells whether it ended whole."""

    async def run() -> None:
        await Cut(work, *at)

    task = asyncio.create_task(run())
    await asyncio.wait([task])
    if task.cancelled():
        return False
    task.result()
    return True
