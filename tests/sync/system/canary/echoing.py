"""A practice DokStamp in trouble that repeats, in every way it can, what it was told."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from sync.simulator import SimulatedRequest, SimulatedResponse
from tests.sync.system.commands import DangerousSimulator

Echo = Callable[[SimulatedRequest, str], SimulatedResponse]
STALL_SECONDS = 1.5
"""Longer than anybody here waits for an answer."""
REFUSED_EMAIL = "refused@qanarhost.example"


def _told(request: SimulatedRequest) -> str:
    query = " ".join(f"{name}={value}" for name, value in request.query)
    return f"Qanarecho {request.path} {query} {request.body.decode(errors='replace')}"


def _answer(
    status: int, body: str, kind: str = "application/json", **more: str
) -> SimulatedResponse:
    headers = {
        "Content-Type": kind,
        **{name.replace("_", "-"): text for name, text in more.items()},
    }
    return SimulatedResponse(status, headers=headers, body=body.encode())


def _error(_request: SimulatedRequest, told: str) -> SimulatedResponse:
    return _answer(500, json.dumps({"message": told, "trace": [told]}))


def _page(_request: SimulatedRequest, told: str) -> SimulatedResponse:
    return _answer(502, f"<html><body>{told}</body></html>", "text/html")


def _nonsense(_request: SimulatedRequest, told: str) -> SimulatedResponse:
    return _answer(200, told)


def _odd(_request: SimulatedRequest, told: str) -> SimulatedResponse:
    return _answer(200, json.dumps({"data": told, "meta": {"total": told}}))


def _odd_rows(_request: SimulatedRequest, told: str) -> SimulatedResponse:
    rows = [told, {"uuid": {told: told}, "email": [told]}, None]
    return _answer(200, json.dumps({"data": rows, "meta": {"last_page": told, "total": 3}}))


def _redirect(_request: SimulatedRequest, told: str) -> SimulatedResponse:
    return _answer(302, told, Location="/Qanarecho", Retry_After="Qanarecho")


def _stalled(_request: SimulatedRequest, told: str) -> SimulatedResponse:
    return replace(_answer(200, told), stall_seconds=STALL_SECONDS)


ECHOES: tuple[Echo, ...] = (_error, _odd_rows, _nonsense, _page, _odd, _redirect, _stalled)


class EchoingSimulator(DangerousSimulator):
    """Answers each kind of call a few times with an echo before it does anything."""

    echoes_max: int = 1
    listen: Callable[[], None] | None = None
    """Called while a request of ours is under way."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: Counter[tuple[str, str]] = Counter()
        self.echoed = 0

    def handle(self, request: SimulatedRequest, *, now: datetime) -> SimulatedResponse:
        """Answer, perhaps with what was asked."""
        if self.listen is not None:
            self.listen()
        if REFUSED_EMAIL in request.body.decode(errors="replace"):
            return self._refuse(request)
        kind = (request.method, request.path.rstrip("0123456789abcdef-"))
        self._seen[kind] += 1
        if request.path.startswith(("/oauth", "/auth")) or self._seen[kind] > self.echoes_max:
            return super().handle(request, now=now)
        self.echoed += 1
        echo = ECHOES[self.echoed % len(ECHOES)]
        return echo(request, _told(request))

    @property
    def file_uuids(self) -> list[str]:
        """The uuids of all files, each of which opens a public download."""
        return [str(row["uuid"]) for row in self.records("files")]

    def _refuse(self, request: SimulatedRequest) -> SimulatedResponse:
        told = _told(request)
        errors = {"name": [told], "Qanarecho": [told]}
        return _answer(422, json.dumps({"message": told, "errors": errors}))
