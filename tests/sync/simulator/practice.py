"""A caller for the practice service without sockets: a manual clock and short words."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import urlencode

from sync.simulator import (
    PRACTICE_TENANT,
    Fault,
    SimulatedRequest,
    SimulatedResponse,
    Simulator,
    Switches,
    Tenant,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
FORM = "application/x-www-form-urlencoded"
PDF = b"%PDF-1.4 practice"
Pairs = tuple[tuple[str, str], ...]


class Practice:
    """One simulator, one tenant's credentials, and records made on demand."""

    def __init__(self, *faults: Fault, **switches: str) -> None:
        self.simulator = Simulator(seed=1, switches=Switches(**switches), faults=faults)
        self.now = START
        self.tenant = PRACTICE_TENANT
        self._tokens: dict[str, str] = {}

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.simulator.advance(now=self.now)

    def speak_as(self, tenant: Tenant) -> None:
        self.tenant = tenant

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Pairs = (),
        headers: dict[str, str] | None = None,
        body: bytes = b"",
    ) -> SimulatedResponse:
        request = SimulatedRequest(method, path, query=query, headers=headers or {}, body=body)
        return self.simulator.handle(request, now=self.now)

    def form(self, path: str, **fields: str) -> SimulatedResponse:
        headers = {"Content-Type": FORM, "User-Agent": "practice"}
        return self.send("POST", path, headers=headers, body=urlencode(fields).encode())

    def log_in(self) -> SimulatedResponse:
        if self.simulator.world.switches.edition == "old":
            credentials = {"email": self.tenant.email, "password": self.tenant.password}
            headers = {"Content-Type": "application/json", "User-Agent": "practice"}
            body = json.dumps(credentials).encode()
            return self.send("POST", "/auth/login", headers=headers, body=body)
        return self.form(
            "/oauth/token",
            grant_type="client_credentials",
            client_id=self.tenant.client_id,
            client_secret=self.tenant.client_secret,
        )

    def headers(self) -> dict[str, str]:
        if self.tenant.domain not in self._tokens:
            self._tokens[self.tenant.domain] = decoded(self.log_in())["access_token"]
        return {
            "Authorization": f"Bearer {self._tokens[self.tenant.domain]}",
            "Accept": "application/json",
            "X-Tenant": self.tenant.domain,
            "User-Agent": "practice",
        }

    def call(
        self, method: str, path: str, body: object = None, *, query: Pairs = ()
    ) -> SimulatedResponse:
        headers = self.headers()
        if body is not None:
            headers["Content-Type"] = "application/json"
        content = b"" if body is None else json.dumps(body).encode()
        return self.send(method, path, query=query, headers=headers, body=content)

    def get(self, path: str, **query: str) -> Any:
        return decoded(self.call("GET", path, query=tuple(query.items())))

    def find(self, path: str, column: str, value: str) -> list[Any]:
        query = ((f"where[{column}]", value), ("per_page", "100"))
        return cast("list[Any]", decoded(self.call("GET", path, query=query))["data"])

    def make(self, path: str, /, **values: object) -> str:
        response = self.call("POST", path, values)
        assert response.status in {200, 201}, response.body
        return cast("str", decoded(response)["data"]["uuid"])

    def institution(self, name: str = "Practice University") -> str:
        return self.make("/institutions", name=name, country="Brazil")

    def course(self, institution: str, code: str = "C-1", **values: object) -> str:
        fields = {"name": code, "code": code, "institution_uuid": institution, **values}
        return self.make("/courses", **fields)

    def module(self, institution: str, code: str = "M-1", **values: object) -> str:
        fields = {"name": code, "code": code, "institution_uuid": institution, **values}
        return self.make("/modules", **fields)

    def student(self, email: str = "one@example.org", name: str = "One") -> str:
        return self.make("/students", name=name, email=email, date_of_birth="2000-02-03")

    def enrollment(self, student: str, course: str, **values: object) -> str:
        fields = {"student_uuid": student, "course_uuid": course, "enrolled_at": "2026-02-01"}
        return self.make("/enrollments", **{**fields, **values})

    def upload(self, *contents: bytes, name: str = "files[]") -> SimulatedResponse:
        headers = self.headers() | {"Content-Type": "multipart/form-data; boundary=edge"}
        body = b"".join(form_part(name, f"{i}.pdf", one) for i, one in enumerate(contents))
        return self.send("POST", "/files", headers=headers, body=body + b"--edge--\r\n")

    def file(self, content: bytes = PDF) -> str:
        return cast("str", decoded(self.upload(content))["data"][0]["uuid"])

    def graduate(self) -> dict[str, object]:
        """Make what a certificate needs and return the fields that name it."""
        institution = self.institution()
        course = self.course(institution)
        return {
            "institution_uuid": institution,
            "course_uuid": course,
            "student_uuid": self.student(),
            "file_uuid": self.file(),
        }

    def certificate(self, **values: object) -> str:
        return self.make("/certificates", **{**self.graduate(), "finish": True, **values})


def form_part(name: str, filename: str, content: bytes) -> bytes:
    disposition = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"'
    head = f"--edge\r\n{disposition}\r\nContent-Type: application/pdf\r\n\r\n"
    return head.encode() + content + b"\r\n"


def decoded(response: SimulatedResponse) -> Any:
    return response.decoded()


def errors(response: SimulatedResponse) -> dict[str, list[str]]:
    assert response.status == 422, (response.status, response.body)
    return cast("dict[str, list[str]]", decoded(response)["errors"])
