"""What our tables list as stopped, believed only where the truth bears it out."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection

from ledger.ledger import Ledger
from ledger.log.event import Event as LogEvent
from ledger.outbox import gate_store
from ledger.outbox import store as outbox_store
from ledger.outbox.gate import Gate, Why
from ledger.outbox.operation import Operation, State
from tests.simulation.expected import Expected
from tests.simulation.marks import Identities
from tests.simulation.network import Network
from tests.simulation.workload import Name

STOPPED: Final = (State.HELD, State.DEAD, State.BLOCKED)
FAILURES_MAX: Final = 6
REFUSED_DETACHES: Final = 2


@dataclass(slots=True)
class Excuses:
    """Which records may differ from what is wanted, and which excuses are none."""

    expected: Expected
    identities: Identities
    network: Network
    log: Sequence[LogEvent]
    stopped: dict[Name, list[Operation]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    """What stands still, by why."""
    _excused: set[Name] = field(default_factory=set)

    @classmethod
    async def of(
        cls,
        ledger: Ledger,
        expected: Expected,
        identities: Identities,
        network: Network,
        log: Sequence[LogEvent],
    ) -> "Excuses":
        """Return the excuses of what stands still in the end."""
        excuses = cls(expected, identities, network, log)
        scope = ledger.scope

        def look(connection: Connection) -> list[tuple[Operation, list[tuple[Gate, Why]]]]:
            found = outbox_store.read_page(connection, scope, states=list(STOPPED), limit=1000)
            return [
                (each, list(gate_store.closed_of(connection, scope, operation=each)))
                for each in found
            ]

        stopped = await ledger.read(look)
        for operation, _ in stopped:
            excuses.stopped.setdefault(_name(operation), []).append(operation)
        excuses._judge(stopped)
        return excuses

    def stands(self, name: Name) -> bool:
        """Tell whether a record may be other than it should."""
        return name in self._excused

    def is_held(self, name: Name) -> bool:
        """Tell whether a person is asked about a record."""
        return any(each.state is State.HELD for each in self.stopped.get(name, ()))

    def _judge(self, stopped: list[tuple[Operation, list[tuple[Gate, Why]]]]) -> None:
        for operation, closed in stopped:
            name = _name(operation)
            if operation.state is State.BLOCKED:
                wrong = [gate for gate, why in closed if not self._may_wait(gate, why)]
                if wrong or not closed:
                    shown = [(g.kind.value, str(g.reference), w.value) for g, w in closed]
                    self.faults.append(f"{' '.join(name)} {operation.kind} waits for {shown}")
            elif not self._is_justified(operation):
                self.faults.append(
                    f"{' '.join(name)} {operation.kind} is {operation.state.value}"
                    f" for {operation.reason}, which the truth does not bear out"
                )
            self.reasons[_reason(operation, closed)] += 1
            self._excused.add(name)

    def _may_wait(self, gate: Gate, why: Why) -> bool:
        name = (gate.reference.entity, gate.reference.source_id)
        match why:
            case Why.REMOVED:
                return self.expected.is_gone(name)
            case Why.HELD | Why.DEAD:
                return name in self.stopped
            case Why.MISSING:
                return not self._is_told(name)
            case _:
                # Whoever waits for what itself waits; or for a completion that never came.
                return name in self.stopped or self._is_incomplete(name)

    def _is_told(self, name: Name) -> bool:
        record = self.expected.records.get(name)
        return record is not None and bool(record.history)

    def _is_incomplete(self, name: Name) -> bool:
        record = self.expected.records.get(name)
        data = record.data if record is not None else {}
        return name[0] == "enrollment" and data.get("completion_status") != "completed"

    def _is_justified(self, operation: Operation) -> bool:
        rule = JUSTIFIED.get(str(operation.reason))
        return rule is not None and rule(self, operation)

    def shares_key(self, operation: Operation) -> bool:
        """Tell whether another record ever told the same e-mail address."""
        own = self._addresses(_name(operation))
        others = [name for name in self.expected.records if name[0] == "student"]
        return any(own & self._addresses(name) for name in others if name != _name(operation))

    def _addresses(self, name: Name) -> set[str]:
        record = self.expected.records.get(name)
        return {str(data.get("email")) for data in record.states} if record else set()

    def is_certified(self, operation: Operation) -> bool:
        """Tell whether a certificate names this enrollment."""
        uuids = set(self.identities.uuids.get(_name(operation), ()))
        rows = self.identities.rows.values()
        return any(str(row.get("enrollment_uuid")) in uuids for row in rows)

    def failed_often(self, operation: Operation) -> bool:
        """Tell whether the log shows as many failures as it takes."""
        return self._count(operation, lambda public: bool(public.get("failed"))) >= FAILURES_MAX

    def refused_to_detach(self, operation: Operation) -> bool:
        """Tell whether detaching was answered with a refusal again and again."""
        del operation
        refusals = [
            each
            for each in self.network.flights
            if each.method == "DELETE" and (each.heard_status or 0) >= 400
        ]
        return len(refusals) >= REFUSED_DETACHES

    def came_beyond(self, operation: Operation) -> bool:
        """Tell whether an effect came when no list could show it in time."""
        del operation
        return self.network.has_beyond

    def was_doubled(self, operation: Operation) -> bool:
        """Tell whether DokStamp truly has it more than once, for an effect out of all time."""
        uuids = self.identities.uuids.get(_name(operation), ())
        return len(uuids) > 1 and bool(self.network.made_beyond.intersection(uuids))

    def _count(self, operation: Operation, counts: Callable[[Any], bool]) -> int:
        told = [e.public for e in self.log if e.public.get("operation") == operation.key]
        return sum(1 for public in told if counts(public))


Rule = Callable[[Excuses, Operation], bool]
JUSTIFIED: Final[dict[str, Rule]] = {
    "key_cycle": Excuses.shares_key,
    "key_taken": Excuses.shares_key,
    "email_taken": Excuses.shares_key,
    "held_by_another": Excuses.shares_key,
    "identity_differs": Excuses.shares_key,
    "certificate_names_it": Excuses.is_certified,
    "detach_refused": Excuses.refused_to_detach,
    "several_matches": Excuses.was_doubled,
    "second_record": Excuses.was_doubled,
    "hidden_record": Excuses.came_beyond,
    **dict.fromkeys(
        ("uncertain", "not_understood", "list_unknown", "upload_uncertain"), Excuses.failed_often
    ),
}
"""What is held or dead for which reason is believed when."""


def _reason(operation: Operation, closed: list[tuple[Gate, Why]]) -> str:
    why = sorted({why.value for _, why in closed})
    shown = f"a record it names is {', '.join(why)}" if why else str(operation.reason)
    return f"{operation.state.value}: {shown}"


def _name(operation: Operation) -> Name:
    return operation.reference.entity, operation.reference.source_id
