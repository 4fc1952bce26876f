"""Judges what was retired, and whether anything came too late for it.

| what holds | where it is said |
|---|---|
| what was told earlier of a record, or names it, is done before it retires | design G4, API 9.4 |
| a module is detached from every course before it is retired | API 12 |
| an enrollment is dropped only while no certificate names it | design 6, API 11.9 |
| nothing is deleted: students, cohorts and organizations stay as they are | design 6, API 9.4 |

A revocation may come at any time, for it names nothing but its certificate.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sync.simulator.controls import raw_records
from tests.simulation.expected import Expected, Wanted
from tests.simulation.flight import Flight
from tests.simulation.marks import Identities, version_of
from tests.simulation.network import Network
from tests.simulation.order import ENTITIES, body_of, effects_of, in_order
from tests.simulation.workload import REFERENCES, Name
from tests.sync.system.truth import RETIRED


def retirement_faults(
    network: Network, identities: Identities, expected: Expected
) -> Iterator[str]:
    """Tell what was retired too early, or otherwise than it may be."""
    yield from _latecomers(network, identities, expected)
    yield from _attached_modules(network)
    yield from _certified_enrollments(network)
    for entry in network.world.journal.writes:
        if entry.action == "deleted":
            yield f"{entry.uuid} of {entry.table} was deleted"


@dataclass(slots=True)
class _Past:
    """What DokStamp has come to so far."""

    seen: dict[Name, int] = field(default_factory=dict)
    """The position of the newest state of each record."""
    retired: dict[Name, int] = field(default_factory=dict)
    """The position of the removal for which each retired record was retired, at the earliest."""


def _latecomers(network: Network, identities: Identities, expected: Expected) -> Iterator[str]:
    """Tell what was told before a removal, and done after the retirement that it asked for."""
    past = _Past()
    for flight in in_order(network):
        if flight.is_beyond or flight.path.endswith("/revoke"):
            continue
        for (name, *others), version in effects_of(flight, identities):
            if others or name not in expected.records:
                continue
            record, is_leaving = expected.records[name], _is_retirement(flight, name)
            told_at = _told_at(flight, record, version, expected)
            for each in (name, *_named_by(flight, record, identities)):
                if told_at < past.retired.get(each, told_at):
                    yield f"{' '.join(name)} came after {' '.join(each)} was retired"
            _follow(past, record, version, is_leaving=is_leaving)


def _is_retirement(flight: Flight, name: Name) -> bool:
    retired, body = RETIRED.get(name[0]), body_of(flight)
    return retired is not None and all(body.get(key) == value for key, value in retired.items())


def _told_at(flight: Flight, record: Wanted, version: int | None, expected: Expected) -> int:
    """Return where the last event stands for which a request can have been sent."""
    stated = [
        position
        for position, data in record.history
        if version in {None, version_of(record.name[0], data)}
    ]
    if _is_retirement(flight, record.name):
        return max(record.removals, default=0)
    if record.name[0] == "course_module":
        # It comes and goes with its module, too.
        module = expected.records[("module", record.data["module_id"])]
        stated += [*module.removals, *(position for position, _ in module.history)]
    return max([*stated, *(record.removals if version is None else ())], default=0)


def _named_by(flight: Flight, record: Wanted, identities: Identities) -> Iterator[Name]:
    """Give the records that a request is about beside its own."""
    if record.name[0] != "course_module":
        for key, value in record.data.items():
            if key in REFERENCES:
                yield REFERENCES[key], str(value)
        return
    # An attachment may leave one course for another.
    _, course, *_ = flight.path.strip("/").split("/")
    uuids = [course]
    for each in body_of(flight).get("modules", ()):
        shown = each if isinstance(each, dict) else {"uuid": each}
        uuids += [shown["uuid"], str(shown.get("course_module_group_uuid"))]
    yield from (identities.names[uuid] for uuid in uuids if uuid in identities.names)


def _follow(past: _Past, record: Wanted, version: int | None, *, is_leaving: bool) -> None:
    name = record.name
    if is_leaving:
        later = [each for each in record.removals if each > past.seen.get(name, -1)]
        if later:
            past.retired[name] = min(later)
    elif version is not None:
        past.retired.pop(name, None)
        same = (at for at, data in record.history if version_of(name[0], data) == version)
        past.seen[name] = max(past.seen.get(name, -1), min(same, default=-1))


def _attached_modules(network: Network) -> Iterator[str]:
    """Tell which module was retired while a course still had it."""
    attachments = raw_records(network.world, "attachments", with_deleted=True)
    modules = {str(row["uuid"]): str(row["module_uuid"]) for row in attachments}
    retired = _retirements(network, "module")
    attached: dict[str, str] = {}
    for entry in network.world.journal.writes:
        if entry.table == "attachments" and entry.action == "attached":
            attached[entry.uuid] = modules[entry.uuid]
        elif entry.table == "attachments" and entry.action in {"detached", "deleted"}:
            attached.pop(entry.uuid, None)
        elif entry.request in retired and entry.uuid in attached.values():
            yield f"module {entry.uuid} was retired while a course still had it"


def _certified_enrollments(network: Network) -> Iterator[str]:
    """Tell which enrollment was dropped although a certificate named it."""
    certificates = raw_records(network.world, "certificates", with_deleted=True)
    enrollments = {str(row["uuid"]): str(row["enrollment_uuid"]) for row in certificates}
    dropped = _retirements(network, "enrollment")
    certified: set[str] = set()
    for entry in network.world.journal.writes:
        if entry.table == "certificates" and entry.uuid not in network.made_beyond:
            certified.add(enrollments[entry.uuid])
        elif entry.request in dropped and entry.uuid in certified:
            yield f"enrollment {entry.uuid} was dropped although a certificate names it"


def _retirements(network: Network, entity: str) -> frozenset[int]:
    """Return the requests that retired a record of an entity, and were waited for."""
    return frozenset(
        flight.request_number
        for flight in in_order(network)
        if flight.request_number is not None
        and not flight.is_beyond
        and ENTITIES.get(flight.path.split("/")[1]) == entity
        and _is_retirement(flight, (entity, ""))
    )
