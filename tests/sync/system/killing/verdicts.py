"""Whether anything was lost: promises against the log, the log against itself, and the remote."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sync.simulator import Simulator
from tests.sync.system.killing.outside import Sight, growth_faults, log_faults
from tests.sync.system.truth import Truth
from tests.sync.system.university import SOURCE, Told

Notes = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What is known once a process died and another one went on to the end."""

    before: Sight
    """As the dead one left it."""
    after: Sight
    promised: Notes
    said: Notes
    """What the survivor wrote down."""
    simulator: Simulator
    faults: tuple[str, ...] = ()
    """What was found on the way from one to the other."""
    unsent: tuple[Told, ...] = ()


def losses(aftermath: Aftermath, *, told: Sequence[Told], reference: Sight | None) -> list[str]:
    """Tell everything that was lost, came twice, or is not as it is without any death."""
    before, after = aftermath.before, aftermath.after
    found = [*log_faults(before), *growth_faults(before, after), *log_faults(after)]
    found += _broken_promises(aftermath.promised, before)
    found += aftermath.faults
    found += contents_faults(after, (*told, *aftermath.unsent))
    found += _said(aftermath.said, after)
    found += remote_faults(aftermath.simulator, after, told)
    if reference is not None and after.operations != reference.operations:
        differing = (after.operations - reference.operations) + (
            reference.operations - after.operations
        )
        found.append(f"G10: operations differ from those of a life without death: {differing}")
    return found


def _broken_promises(promised: Notes, left: Sight) -> Iterator[str]:
    there = {event_id for _, event_id in left.names}
    claims = left.outcomes("operations.claimed")
    claimed = {key for public in claims for key in public["operations"]}
    settled = {public["operation"] for public in left.outcomes("operation.settled")}
    plans = left.outcomes("operations.planned")
    sources = [entry.position for entry in left.log if not entry.is_outcome]
    planned = max((public["through"] for public in plans), default=-1)
    for what, *names in promised:
        name = names[0]
        match what:
            case "event" if name not in there:
                yield f"G1: event {name} was promised and is lost"
            case "claimed" if name not in claimed:
                yield f"G7: the claim of {name} was promised and is lost"
            case "settled" if name not in settled:
                yield f"G7: the settlement of {name} was promised and is lost"
            case "erased" if not left.outcomes("subject.erased"):
                yield f"G12: the erasure of {name} was promised and is lost"
            case "planned" if planned < sources[int(name) - 1]:
                yield f"G1: the plan through {name} events was promised and is lost"


def contents_faults(after: Sight, told: Sequence[Told]) -> Iterator[str]:
    """Tell what is too much or not enough in a ledger that has come to rest."""
    wanted = {(SOURCE, f"e-{number}") for number in range(1, 1 + len(told))}
    if set(after.names) != wanted or len(after.names) != len(wanted):
        yield f"G2: the log holds {sorted(after.names)}"
    throughs = [public["through"] for public in after.outcomes("operations.planned")]
    if throughs != sorted(set(throughs)):
        yield f"G10: stretches were planned twice: {throughs}"
    if after.generations - {after.live}:
        yield f"G10: rows of folding {sorted(after.generations)} were left behind"
    if after.leases:
        yield f"G3: {after.leases} lanes are still leased"
    if after.inbox:
        yield f"G1: {after.inbox} events are still in the inbox"
    for entity, source_id, kind, state in after.operations:
        if state not in {"done", "superseded", "discarded"}:
            yield f"G9: {kind} {entity} {source_id} is still {state}"


def _said(said: Notes, after: Sight) -> Iterator[str]:
    notes = {what: names for what, *names in said}
    if notes.get("again") != ["duplicate"]:
        yield f"G2: what was offered again was {notes.get('again')}"
    if notes.get("rebuild") != ["None"]:
        yield f"G10: a rebuild differs: {notes.get('rebuild')}"
    if notes.get("head") != [str(after.size), after.root.hex()]:
        yield f"G11: the ledger calls its head {notes.get('head')}"


def remote_faults(simulator: Simulator, after: Sight, told: Sequence[Told]) -> Iterator[str]:
    """Tell where DokStamp's own truth is not what was told, or the ledger knows another."""
    truth = Truth(simulator, told)
    yield from (f"G5: {fault}" for fault in truth.differences())
    faults = simulator.verdict().faults
    yield from (f"G5: {count} {name}" for name, count in faults.items())
    attached = {
        row["uuid"]: f"{row['course_uuid']}/{row['module_uuid']}"
        for row in simulator.records("attachments")
    }
    for name, uuid in truth.uuids.items():
        bound, target = after.bindings.get(name), attached.get(uuid, uuid)
        if bound is None or bound[1].lower() != str(target).lower():
            yield f"G5: {name} is bound to {bound}, not to {target}"
    targets = [target for _, target in after.bindings.values()]
    if len(targets) != len(set(targets)):
        yield "G5: a target is bound twice"
