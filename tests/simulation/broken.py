"""Products with something taken from them, each of which the checker must find out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import Connection, text

from ledger.outbox.fold_store import Cause
from ledger.outbox.plan import Intent, Plan
from ledger.reference import Position
from ledger.transaction import Transaction
from sync.dispatcher.conversation_worker import Sender
from sync.dokstamp.answer import Answer, Meaning
from sync.dokstamp.exchange import Exchange
from sync.dokstamp.request import Request
from tests.simulation.product import HostLedger, Product

Heard = tuple[Answer, tuple[Exchange, ...]]
LATER: Final = 100_000.0
"""Seconds after which every lease has run out."""
LEAPS: Final = 1_500
"""How often a lease that lasts is taken for over; without an end nothing would come to rest."""


class _Meddler:
    """Something between dispatcher and client."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def send(self, request: Request, *, timeout_seconds: float | None = None) -> Heard:
        """Return the answer and the evidence, as the product would without it."""
        return await self._sender.send(request, timeout_seconds=timeout_seconds)


class _Twice(_Meddler):
    """Makes every enrollment twice, as one would who does not wait for the answer."""

    async def send(self, request: Request, *, timeout_seconds: float | None = None) -> Heard:
        """Return the second answer."""
        first: tuple[Exchange, ...] = ()
        if request.method == "POST" and request.path == "/enrollments":
            first = (await super().send(request, timeout_seconds=timeout_seconds))[1]
        answer, second = await super().send(request, timeout_seconds=timeout_seconds)
        return answer, first + second


class _Stubborn(_Meddler):
    """Asks for a student without a name, and once more when that was refused."""

    async def send(self, request: Request, *, timeout_seconds: float | None = None) -> Heard:
        """Return what comes of the whole request."""
        refused: tuple[Exchange, ...] = ()
        if request.method == "POST" and request.path == "/students":
            for _ in range(2):
                refused += (await super().send(replace(request, body={})))[1]
        answer, exchanges = await super().send(request, timeout_seconds=timeout_seconds)
        return answer, refused + exchanges


class _Blind(_Meddler):
    """Looks for nothing that may be there: every list is empty."""

    async def send(self, request: Request, *, timeout_seconds: float | None = None) -> Heard:
        """Return an empty list where a list was asked for."""
        answer, exchanges = await super().send(request, timeout_seconds=timeout_seconds)
        if not request.is_filtered or answer.status != 200:
            return answer, exchanges
        meta = {"current_page": 1, "per_page": 50, "total": 0}
        return replace(answer, body={"data": [], "meta": meta}), exchanges


class _Backward(_Meddler):
    """Sends the change before last once more after the last."""

    def __init__(self, sender: Sender) -> None:
        super().__init__(sender)
        self._before: dict[str, Request] = {}

    async def send(self, request: Request, *, timeout_seconds: float | None = None) -> Heard:
        """Return the answer to the last change, with the evidence of both."""
        answer, exchanges = await super().send(request, timeout_seconds=timeout_seconds)
        if request.method not in {"PATCH", "PUT"}:
            return answer, exchanges
        before = self._before.get(request.path)
        self._before[request.path] = request
        if before is None or before.body == request.body:
            return answer, exchanges
        return answer, exchanges + (await super().send(before))[1]


class _Silent(_Meddler):
    """Tells the log nothing of what was refused or broken."""

    async def send(self, request: Request, *, timeout_seconds: float | None = None) -> Heard:
        """Return the answer without its evidence."""
        answer, exchanges = await super().send(request, timeout_seconds=timeout_seconds)
        return answer, () if answer.meaning is not Meaning.DONE else exchanges


class _Hasty(_Meddler):
    """Retires modules before it detaches them."""

    async def send(self, request: Request, *, timeout_seconds: float | None = None) -> Heard:
        """Return the answer to the detaching, with the evidence of all."""
        early: tuple[Exchange, ...] = ()
        if request.method == "DELETE" and request.path.endswith("/detach/modules"):
            body: Any = request.body
            for module in body["modules"]:
                patch = replace(request, method="PATCH", path=f"/modules/{module}")
                patch = replace(patch, body={"is_active": False})
                early += (await super().send(patch))[1]
        answer, exchanges = await super().send(request, timeout_seconds=timeout_seconds)
        return answer, early + exchanges


class _Rash(_Meddler):
    """Drops every enrollment once its certificate is out."""

    async def send(self, request: Request, *, timeout_seconds: float | None = None) -> Heard:
        """Return the answer to the request, with the evidence of both."""
        answer, exchanges = await super().send(request, timeout_seconds=timeout_seconds)
        if (request.method, request.path) != ("POST", "/certificates"):
            return answer, exchanges
        body: Any = request.body
        patch = replace(request, method="PATCH", path=f"/enrollments/{body['enrollment_uuid']}")
        dropped = await super().send(replace(patch, body={"completion_status": "dropped"}))
        return answer, exchanges + dropped[1]


class _Deleting(_Meddler):
    """Deletes groups instead of retiring them."""

    async def send(self, request: Request, *, timeout_seconds: float | None = None) -> Heard:
        """Return the answer to the deletion, where a group was to be retired."""
        if "/groups/" in request.path and request.body == {"is_active": False}:
            request = replace(request, method="DELETE", body=None)
        return await super().send(request, timeout_seconds=timeout_seconds)


class _Impatient(HostLedger):
    """A ledger in which no retirement waits for other records."""

    def _apply(self, connection: Connection, steps: Any) -> list[object]:
        hurried = [lambda transaction, step=each: step(_Hurried(transaction)) for each in steps]
        return super()._apply(connection, hurried)


class _Hurried:
    """A transaction that takes the gates from what it plans."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transaction, name)

    def plan(self, parts: Sequence[tuple[Cause, Plan]], *, through: Position) -> Position:
        """Log the plans of a batch."""
        hurried = [(cause, _ungated(each)) for cause, each in parts]
        return self._transaction.plan(hurried, through=through)

    def plan_part(self, cause: Cause, plan: Plan) -> None:
        """Fold a plan."""
        self._transaction.plan_part(cause, _ungated(plan))


def _ungated(plan: Plan) -> Plan:
    return replace(plan, intents=tuple(_at_once(each) for each in plan.intents))


def _at_once(intent: Intent) -> Intent:
    own = tuple(each for each in intent.gates if each.reference == intent.reference)
    return replace(intent, gates=own) if intent.kind == "retire" else intent


class _Unfenced(HostLedger):
    """A ledger in which every lease has run out, and every settle window, for a long while."""

    def lease_now(self, connection: Connection) -> float:
        """Return a moment that is later than any before, until it has leapt often enough."""
        self._leap = min(getattr(self, "_leap", 0.0) + LATER, LEAPS * LATER)
        return super().lease_now(connection) + self._leap


class _Forgetful(HostLedger):
    """A ledger that takes something for done that was never begun, once."""

    def _apply(self, connection: Connection, steps: Any) -> list[object]:
        results = super()._apply(connection, steps)
        if not getattr(self, "_has_lost", False):
            lost = connection.execute(text(LOSE)).rowcount
            self._has_lost = lost > 0
        return results


class _Careless(HostLedger):
    """A ledger that forgets every look that it promised."""

    def _apply(self, connection: Connection, steps: Any) -> list[object]:
        results = super()._apply(connection, steps)
        connection.execute(text(FORGET))
        return results


FORGET: Final = "UPDATE operations SET state = 'done' WHERE kind = 'recheck' AND state = 'ready'"
LOSE: Final = """
    UPDATE operations SET state = 'done' WHERE key = (
        SELECT key FROM operations WHERE entity = 'student' AND state = 'ready' LIMIT 1
    )
"""


@dataclass(frozen=True, slots=True)
class Broken:
    """A product that does wrong, in which circumstances, and what must be said of it."""

    product: Product
    sign: str
    plan: Mapping[str, Any] = field(default_factory=dict)
    first: int = 1
    """The seed to begin with."""


LATE: Final = {"wire_share": 0.5, "wire": {"late": 1.0}}
LOST: Final = {"wire_share": 0.4, "wire": {"lost_answer": 1.0}}
BEYOND: Final = {"beyond_share": 0.5, "awaits_looks": True}
FAILING: Final = {"wire_share": 0.5, "wire": {"error_before": 1.0}}
BROKEN: Final[Mapping[str, Broken]] = {
    "waits for no late effect": Broken(
        Product(), "times", {**LATE, "settle_seconds": 0.1}, first=8
    ),
    "does not look before it makes again": Broken(Product(sends_by=_Blind), "times", LOST, first=3),
    "makes twice": Broken(Product(sends_by=_Twice), "times"),
    "repeats what was refused": Broken(Product(sends_by=_Stubborn), "sent again"),
    "goes back to an older state": Broken(Product(sends_by=_Backward), "back to"),
    "retires before it detaches": Broken(Product(sends_by=_Hasty), "still had it", first=8),
    "archives a course before what names it": Broken(
        Product(ledger=_Impatient), "after course C-1 was retired", FAILING, first=1043
    ),
    "retires a group before a module comes into it": Broken(
        Product(ledger=_Impatient), "after module_group G-1 was retired", FAILING, first=81
    ),
    "drops an enrollment before its certificate": Broken(
        Product(ledger=_Impatient), "after enrollment E-1 was retired", FAILING, first=4374
    ),
    "drops what a certificate names": Broken(
        Product(sends_by=_Rash), "certificate names it", first=103
    ),
    "deletes instead of retiring": Broken(Product(sends_by=_Deleting), "was deleted", first=8),
    "keeps no evidence": Broken(Product(sends_by=_Silent), "left no exchange", LOST),
    "respects no lease": Broken(Product(ledger=_Unfenced), "times", {**LATE, "hosts": 3}, first=12),
    "takes for done what was never begun": Broken(Product(ledger=_Forgetful), "rebuild differs"),
    "looks no second time": Broken(Product(ledger=_Careless), "nobody is told", BEYOND),
    "answers before it records": Broken(Product(loses_events=True), "is not in the log"),
}
"""What a product could get wrong."""
