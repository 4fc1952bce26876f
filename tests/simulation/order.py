"""Judges in which order effects happened, and whether anything was sent that had been refused."""

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


def _one(
    entity: str, rest: list[str], body: dict[str, Any], flight: Flight, identities: Identities
) -> list[Effect]:
    uuid = rest[0] if rest else flight.created
    name = identities.names.get(uuid)
    return [((name,), version_of(entity, body))] if name else []


def _attachments(course: str, modules: Any, identities: Identities) -> list[Effect]:
    found: list[Effect] = []
    for each in modules:
        shown = each if isinstance(each, dict) else {"uuid": each}
        names = identities.attachments(course, str(shown["uuid"]))
        if names:
            found.append((names, version_of("course_module", shown)))
    return found


def order_faults(network: Network, identities: Identities, expected: Expected) -> Iterator[str]:
    """Tell where an older state came after a newer one, and what was asked for again in vain."""
    yield from _steps_back(network, identities)
    yield from _certificates(identities, expected)
    yield from _repeats(network)


def _steps_back(network: Network, identities: Identities) -> Iterator[str]:
    last: dict[Name, int] = {}
    done = [each for each in network.flights if each.is_unsafe and each.took_effect]
    for flight in sorted(done, key=lambda each: each.effect_order):
        for (name, *others), version in effects_of(flight, identities):
            # A course and a module may be one attachment after another, each with its versions.
            if version is None or others:
                continue
            if version < last.get(name, 0) and not flight.is_beyond:
                yield f"{' '.join(name)} went from v{last[name]} back to v{version}"
            last[name] = max(version, last.get(name, 0))


def _certificates(identities: Identities, expected: Expected) -> Iterator[str]:
    """Tell which certificate froze a student in an older state than it should have."""
    for uuid, name in identities.names.items():
        row = identities.rows[uuid]
        if name[0] != "certificate" or not row.get("snapshot"):
            continue
        asked_at = expected.records[name].history[0][0]
        student = identities.names.get(str(row["student_uuid"]))
        past = expected.records[student].history if student else []
        wanted = [version_of("student", data) for at, data in past if at < asked_at]
        frozen = version_of("student", row["snapshot"])
        if wanted and (frozen or 0) < (wanted[-1] or 0):
            yield f"{' '.join(name)} froze its student as v{frozen}, before v{wanted[-1]}"


def _repeats(network: Network) -> Iterator[str]:
    """Tell which request was sent again although DokStamp had refused just that."""
    refused: dict[tuple[str, str, str], Flight] = {}
    for flight in network.flights:
        key = (flight.method, flight.path, flight.digest)
        first = refused.get(key)
        if first is not None and flight.is_unsafe and not _is_renewed(first, flight, network):
            yield (
                f"{flight.method} {flight.path} was refused with {first.heard_status} at "
                f"{first.sent_at:.1f} and sent again at {flight.sent_at:.1f}"
            )
        if flight.is_unsafe and flight.was_answered and _is_refusal(flight.heard_status):
            refused.setdefault(key, flight)


def _is_refusal(status: int | None) -> bool:
    return status is not None and 400 <= status < 500 and status not in {401, 429}


def _is_renewed(first: Flight, second: Flight, network: Network) -> bool:
    """Tell whether the sender could not know of the refusal any more, or was told something new."""
    return first.is_forgotten or network.was_told_between(first.heard_at or 0.0, second.sent_at)
