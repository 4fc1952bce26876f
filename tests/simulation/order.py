"""Judges in which order effects happened."""

import json
from collections.abc import Iterator
from typing import Any

from tests.simulation.expected import Expected
from tests.simulation.flight import Flight
from tests.simulation.marks import Identities, version_of
from tests.simulation.network import Network
from tests.simulation.workload import Name

ENTITIES = {
    "institutions": "institution",
    "organizations": "organization",
    "courses": "course",
    "modules": "module",
    "cohorts": "cohort",
    "students": "student",
    "enrollments": "enrollment",
    "certificates": "certificate",
}
FROZEN = ("student_id", "course_id", "institution_id", "cohort_id", "enrollment_id")
"""What a certificate freezes, as its event names it."""
Effect = tuple[tuple[Name, ...], int | None]
"""The records that may be meant, and the version."""


def body_of(flight: Flight) -> dict[str, Any]:
    """Return the JSON object that a request carried."""
    try:
        decoded = json.loads(flight.body or b"{}")
    except ValueError:
        return {}
    return decoded if isinstance(decoded, dict) else {}


def effects_of(flight: Flight, identities: Identities) -> list[Effect]:
    """Return the records that a request is about, with the version that it would bring."""
    parts = flight.path.strip("/").split("/")
    body = body_of(flight)
    if "attach" in parts or "detach" in parts:
        return _attachments(parts[1], body.get("modules", ()), identities)
    if "groups" in parts:
        return _one("module_group", parts[4:], body, flight, identities)
    entity = ENTITIES.get(parts[0])
    return _one(entity, parts[1:], body, flight, identities) if entity else []


def meant_by(flight: Flight, identities: Identities) -> tuple[Name, ...]:
    """Return every record that a request may be about, whether it did anything or not."""
    return tuple(name for names, _ in effects_of(flight, identities) for name in names)


def _one(
    entity: str, rest: list[str], body: dict[str, Any], flight: Flight, identities: Identities
) -> list[Effect]:
    uuid = rest[0] if rest else flight.created
    name = identities.names.get(uuid) or identities.told_by(entity, body)
    return [((name,), version_of(entity, body))] if name else []


def _attachments(course: str, modules: Any, identities: Identities) -> list[Effect]:
    found: list[Effect] = []
    for each in modules:
        shown = each if isinstance(each, dict) else {"uuid": each}
        version, module = version_of("course_module", shown), str(shown["uuid"])
        names = identities.attachments(course, module, version)
        if names:
            found.append((names, version))
    return found


def overtaken(network: Network, identities: Identities) -> frozenset[Name]:
    """Return the records that a request changed last which nobody waited for any more."""
    last: dict[Name, Flight] = {}
    for flight in in_order(network):
        last.update(dict.fromkeys(meant_by(flight, identities), flight))
    return frozenset(name for name, flight in last.items() if flight.is_beyond)


def order_faults(network: Network, identities: Identities, expected: Expected) -> Iterator[str]:
    """Tell where an older state came after a newer one."""
    yield from _steps_back(network, identities)
    yield from _certificates(network, identities, expected)


def _steps_back(network: Network, identities: Identities) -> Iterator[str]:
    last: dict[Name, int] = {}
    for flight in in_order(network):
        for (name, *others), version in effects_of(flight, identities):
            # Two attachments of one course and one module may have come to the same version.
            if version is None or others:
                continue
            if version < last.get(name, 0) and not flight.is_beyond:
                yield f"{' '.join(name)} went from v{last[name]} back to v{version}"
            last[name] = max(version, last.get(name, 0))


def in_order(network: Network) -> list[Flight]:
    """Return the requests that changed anything, as they took effect."""
    done = [each for each in network.flights if each.is_unsafe and each.took_effect]
    return sorted(done, key=lambda each: each.request_number or 0)


def _certificates(network: Network, identities: Identities, expected: Expected) -> Iterator[str]:
    """Tell which certificate came before a change that it should have frozen."""
    seen: dict[Name, int] = {}
    for flight in in_order(network):
        for (name, *others), version in effects_of(flight, identities):
            if not others and version is not None:
                seen[name] = max(version, seen.get(name, 0))
            if name[0] == "certificate" and flight.created:
                yield from _too_early(name, seen, expected)


def _too_early(certificate: Name, seen: dict[Name, int], expected: Expected) -> Iterator[str]:
    asked_at, asked = expected.records[certificate].history[0]
    for key in FROZEN:
        name = (key.removesuffix("_id"), str(asked.get(key)))
        record = expected.records.get(name)
        past = [data for at, data in record.history if at < asked_at] if record else []
        wanted = version_of(name[0], past[-1]) if past else None
        if record is not None and not record.removals and seen.get(name, 0) < (wanted or 0):
            yield (
                f"{' '.join(certificate)} froze {' '.join(name)} as v{seen.get(name)}, "
                f"before v{wanted}"
            )
