"""Other people's records in the same DokStamp, and a DokStamp that does not filter.

The columns that a service can filter by are mostly undocumented, so a client has to be right where
every list comes whole, in pages, with strangers first.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sync.simulator import SimulatedRequest, SimulatedResponse, Simulator

COUNT = 20
"""More than a page of the smallest size."""


class UnfilteredSimulator(Simulator):
    """A practice DokStamp that answers any filter with the whole list, or with an error."""

    answer: int = 200

    def handle(self, request: SimulatedRequest, *, now: datetime) -> SimulatedResponse:
        """Answer as if no column could be filtered by."""
        kept = tuple(pair for pair in request.query if not pair[0].startswith("where["))
        if kept != request.query and self.answer != 200:
            refusal = b'{"message": "Unknown filter.", "errors": {}}'
            headers = {"Content-Type": "application/json"}
            self.journal.next_number()
            return SimulatedResponse(self.answer, headers=headers, body=refusal)
        plain = SimulatedRequest(
            request.method, request.path, query=kept, headers=request.headers, body=request.body
        )
        return super().handle(plain, now=now)


class Strangers:
    """Records that somebody else made by hand, much like ours."""

    def __init__(self, simulator: Simulator, *, now: datetime) -> None:
        self._simulator = simulator
        self._now = now
        self._headers: dict[str, str] = {"User-Agent": "somebody else"}
        tenant = simulator.tenant
        words = f"client_id={tenant.client_id}&client_secret={tenant.client_secret}"
        answer = self._send(
            "/oauth/token",
            f"grant_type=client_credentials&{words}".encode(),
            "application/x-www-form-urlencoded",
        )
        self._headers |= {
            "Authorization": f"Bearer {answer['access_token']}",
            "X-Tenant": tenant.domain,
            "Accept": "application/json",
        }
        self.made: set[str] = set()

    def settle(self) -> None:
        """Make some of everything that is looked for."""
        institution = self._make("/institutions", {"name": "Other", "country": "Spain"})
        parent = {"institution_uuid": institution}
        course = self._make("/courses", {**parent, "name": "Law", "code": "LAW"})
        for number in range(COUNT):
            self._make("/institutions", {"name": f"Other {number}", "country": "Spain"})
            self._make("/organizations", {**parent, "name": "Letters", "code": f"L{number}"})
            self._make("/courses", {**parent, "name": "Biology", "code": f"BIO{number}"})
            self._make("/modules", {**parent, "name": "Ethics", "code": f"ETH{number}"})
            self._make("/cohorts", {"course_uuid": course, "code": f"L-2024-{number}"})
            student = self._make("/students", _person(number))
            told = {"student_uuid": student, "course_uuid": course, "enrolled_at": "2024-02-01"}
            self._make("/enrollments", told)

    def _make(self, path: str, body: Mapping[str, object]) -> str:
        answer = self._send(path, json.dumps(body).encode(), "application/json")
        uuid = str(answer["data"]["uuid"])
        self.made.add(uuid)
        return uuid

    def _send(self, path: str, body: bytes, content_type: str) -> Any:
        headers = {**self._headers, "Content-Type": content_type}
        request = SimulatedRequest("POST", path, query=(), headers=headers, body=body)
        return self._simulator.handle(request, now=self._now).decoded()


def _person(number: int) -> dict[str, object]:
    return {
        "name": "Person Number 1",
        "email": f"stranger{number}@example.edu",
        "date_of_birth": "2001-03-01",
    }
