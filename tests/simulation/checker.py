"""Judges a simulation by the practice service's own truth and by the log, never by our tables.

The tables are asked for one thing: what is listed as stopped, and why; and that is believed only
where the truth bears it out (`excuses.py`).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ledger.ledger import Ledger
from ledger.log import store as log_store
from ledger.log.envelope import fault
from ledger.log.event import Event as LogEvent
from ledger.log.merkle import CompactRange
from sync.projector.rebuild_worker import rebuild
from sync.simulator.controls import raw_records
from tests.simulation.evidence import claims_of, evidence_faults
from tests.simulation.excuses import Excuses
from tests.simulation.expected import Expected, Wanted, fields_of
from tests.simulation.marks import Identities, is_same
from tests.simulation.network import Network
from tests.simulation.order import order_faults, overtaken
from tests.simulation.repeats import repeats
from tests.simulation.retirement import retirement_faults
from tests.simulation.workload import Event, Told
from tests.sync.system.truth import RETIRED, Row, column_of

EVENTS_MAX = 100_000
BEYOND = "by an effect beyond the settle window"


@dataclass(slots=True)
class Outcome:
    """Everything that a simulation leaves behind."""

    ledger: Ledger
    network: Network
    told: Sequence[Told]
    commits: Sequence[tuple[float, int]]
    remarks: list[str] = field(default_factory=list)
    log: list[LogEvent] = field(default_factory=list)
    stopped: Counter[str] = field(default_factory=Counter)


async def check(outcome: Outcome) -> list[str]:
    """Return everything that does not hold."""
    stored = await outcome.ledger.read(
        lambda connection: log_store.read_page(connection, 1, after=-1, limit=EVENTS_MAX)
    )
    outcome.log = await outcome.ledger.sealer.open(stored)
    found = [f"event {each.position}: {why}" for each in stored if (why := fault(each))]
    if CompactRange().extend([each.leaf for each in stored]) != await outcome.ledger.head():
        found.append("the head is not the log's")
    expected = Expected.after(_logged(outcome, found))
    identities = Identities(
        {name: wanted.states for name, wanted in expected.records.items() if wanted.history},
        lambda table: raw_records(outcome.network.world, table, with_deleted=True),
    )
    excuses = await Excuses.of(outcome.ledger, expected, identities, outcome.network, outcome.log)
    found += _state_faults(expected, identities, excuses, outcome)
    found += excuses.faults
    outcome.stopped.update(excuses.reasons)
    claims = claims_of(outcome.log, outcome.commits)
    found += evidence_faults(outcome.network, claims, identities)
    found += order_faults(outcome.network, identities, expected)
    found += retirement_faults(outcome.network, identities, expected)
    found += repeats(outcome.network, claims, identities)
    found += _notice_faults(outcome.network)
    report = await rebuild(outcome.ledger, check=True)
    if report.first_difference is not None:
        found.append(f"rebuild differs: {report.first_difference}")
    return found


def _logged(outcome: Outcome, found: list[str]) -> Iterator[tuple[int, Event]]:
    """Give the source events of the log with their positions; each must be there once."""
    told = {each.event["id"]: each.event for each in outcome.told}
    seen: set[str] = set()
    for event in outcome.log:
        if event.id in told and event.id not in seen:
            seen.add(event.id)
            yield event.position, told[event.id]
        elif event.id in seen:
            found.append(f"event {event.id} is in the log twice")
    found += [f"event {each} is not in the log" for each in told if each not in seen]


def _state_faults(
    expected: Expected, identities: Identities, excuses: Excuses, outcome: Outcome
) -> Iterator[str]:
    for stray in identities.strays:
        yield f"{stray} stands for nothing"
    late = overtaken(outcome.network, identities)
    for name, wanted in expected.records.items():
        uuids = identities.uuids.get(name, [])
        live = [uuid for uuid in uuids if _is_live(name[0], identities.rows[uuid])]
        if len(live) > 1 or (name[0] != "certificate" and len(uuids) > 1):
            why = f"{' '.join(name)} is there {len(uuids)} times"
            if not outcome.network.made_beyond.intersection(uuids):
                yield why
            elif excuses.is_held(name):
                outcome.remarks.append(f"{why}, {BEYOND}")
            else:
                yield f"{why}, {BEYOND}, and nobody is told"
        elif not excuses.stands(name):
            differences = list(_differences(wanted, uuids, identities, expected))
            if name not in late:
                yield from differences
            # Nothing can know of a change that comes so late; reconciling finds it as drift.
            outcome.remarks += [f"{each}, {BEYOND}" for each in differences if name in late]


def _is_live(entity: str, row: Row) -> bool:
    return entity != "certificate" or row["status"] in {"draft", "issued"}


def _differences(
    wanted: Wanted, uuids: list[str], identities: Identities, expected: Expected
) -> Iterator[str]:
    name = " ".join(wanted.name)
    row = identities.rows[uuids[0]] if uuids else None
    if wanted.name[0] == "certificate":
        yield from _certificate(wanted, row)
    elif _is_detached(wanted, expected):
        if row is not None:
            yield f"{name} is still attached"
    elif wanted.is_removed:
        if row is not None:
            retired = RETIRED.get(wanted.name[0], {})
            yield from _compare(name, retired, row, identities)
    elif row is None:
        yield f"{name} is lost"
    else:
        yield from _compare(name, fields_of(wanted), row, identities)


def _certificate(wanted: Wanted, row: Row | None) -> Iterator[str]:
    name = " ".join(wanted.name)
    if wanted.is_revoked:
        if row is not None and row["status"] != "revoked":
            yield f"{name} is {row['status']}, not revoked"
    elif row is None:
        yield f"{name} is lost"
    elif row["status"] != "issued":
        yield f"{name} is {row['status']}, not issued"


def _is_detached(wanted: Wanted, expected: Expected) -> bool:
    if wanted.name[0] != "course_module":
        return False
    return wanted.is_removed or expected.is_gone(("module", wanted.data["module_id"]))


def _compare(name: str, fields: Event, row: Row, identities: Identities) -> Iterator[str]:
    for key, value in fields.items():
        shown = row.get(column_of(key))
        if column_of(key).endswith("_uuid"):
            shown = identities.names.get(str(shown), ("", shown))[1]
        if not is_same(value, shown):
            yield f"{name}: {column_of(key)} is {shown!r}, not {value!r}"
    told = {column_of(key) for key in fields}
    for each in ("description", "gender", "syllabus", "course_module_group_uuid", "cohort_uuid"):
        if fields.get("name", fields.get("order")) and each not in told and row.get(each):
            yield f"{name}: {each} is {row[each]!r}, which is cleared at the source"


def _notice_faults(network: Network) -> Iterator[str]:
    tally = network.world.journal.tally.notifications
    for certificate, count in tally.items():
        if count > 1:
            yield f"certificate {certificate} was told of {count} times"
