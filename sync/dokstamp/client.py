"""The door to DokStamp: adds host, tenant, token and time-outs, and keeps evidence of each call.

```
 send ──► token at hand? ──► request ──► answer
             │ no                └─ 401 ─► new token, once ──► request again, once
             └─► asked for by one, awaited by all                   │ 401
                    others were answered meanwhile: not now ◄───────┴───────► unauthorised
```
"""

import asyncio
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from ssl import SSLContext
from types import TracebackType
from typing import Final, Protocol, Self

from ledger.clock import Clock
from sync.dokstamp.answer import Answer, Fault, Meaning
from sync.dokstamp.auth import Credentials, Denial, Token, TokenRequest, read_token, token_requests
from sync.dokstamp.base_url import checked_base_url
from sync.dokstamp.exchange import Exchange, digest
from sync.dokstamp.request import Request
from sync.dokstamp.wire import (
    ANSWER_BYTES_MAX,
    Incoming,
    Outgoing,
    encode_body,
    read_answer,
    target,
)
from sync.errors import ConfigurationError

SHUT_OUT_MAX: Final = 5
"""How often in a row one kind of call may find its new token refused while others are answered."""
DISTRIBUTION: Final = "dokstamp-ledger"
_TENANT: Final = re.compile(r"[!-~]{1,255}")


@dataclass(frozen=True, slots=True)
class Connection:
    """Where DokStamp is, who asks, and how long to wait for it."""

    base_url: str
    tenant: str
    credentials: Credentials = field(repr=False)
    request_timeout_seconds: float = 30.0
    upload_timeout_seconds: float = 120.0
    connect_timeout_seconds: float = 10.0
    connections_max: int = 8
    answer_bytes_max: int = ANSWER_BYTES_MAX
    trust_env: bool = False
    ssl_context: SSLContext | None = field(default=None, repr=False)


class Transport(Protocol):
    """What carries one request and brings back what came of it; the simulation has its own."""

    async def open(self) -> None:
        """Make ready to send; does nothing when it is."""

    async def close(self) -> None:
        """Let go of every connection; does nothing when there are none."""

    async def send(self, outgoing: Outgoing, *, timeout_seconds: float) -> Incoming:
        """Return what came back for this request, sent once within this time."""


@dataclass(slots=True)
class _Sending:
    """One call of `send`: how much of its time is left, and the evidence so far."""

    clock: Clock
    ends_at: float
    begins_by: float
    """After this no request for a resource goes out: who was stopped may have lost the lease."""
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def seconds_left(self) -> float:
        return self.ends_at - self.clock.monotonic()

    @property
    def is_too_late(self) -> bool:
        return self.clock.monotonic() >= self.begins_by


class DokStampClient:
    """Sends requests of one tenant over one session, sharing one token."""

    def __init__(
        self, connection: Connection, *, clock: Clock, transport: Transport | None = None
    ) -> None:
        self._connection = connection
        self._base_url = checked_base_url(connection.base_url)
        if not _TENANT.fullmatch(connection.tenant):
            message = "DOKSTAMP_TENANT is empty or holds blanks: set it to the tenant's domain"
            raise ConfigurationError(message)
        self._clock = clock
        self._http = transport or _transport(connection)
        self._token: Token | None = None
        self._token_lock = asyncio.Lock()
        self._denial: Denial | None = None
        self._accepted = 0
        self._shut_out: Counter[str] = Counter()
        self._common_headers = {"Accept": "application/json", "User-Agent": user_agent()}

    async def __aenter__(self) -> Self:
        await self._http.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection and forget the token; safe to call twice."""
        self._token = None
        await self._http.close()

    async def send(
        self, request: Request, *, timeout_seconds: float | None = None
    ) -> tuple[Answer, tuple[Exchange, ...]]:
        """Return the answer, and evidence of every HTTP request that it took.

        All of it, a new token and one replay after a 401 included, ends within the time given. A
        second 401 means wrong settings, unless other calls were answered meanwhile (API 4.4); it
        does in any case when calls of this kind meet it again and again.
        Raises ConfigurationError when a setting is wrong. A cancelled call has no evidence and
        its request may have taken effect.
        """
        if timeout_seconds is None:
            timeout_seconds = self._default_timeout_seconds(request)
        begun, begin_seconds = self._clock.monotonic(), self._connection.request_timeout_seconds
        sending = _Sending(self._clock, begun + timeout_seconds, begun + begin_seconds)
        accepted = self._accepted
        token = await self._obtain_token(sending, refused=None)
        answer = await self._send_with(token, request, sending)
        if answer.status == 401 and isinstance(token, Token):
            # A 401 did nothing, so that even a write may be sent again with another token.
            token = await self._obtain_token(sending, refused=token)
            answer = await self._send_with(token, request, sending)
        if answer.status == 401 and self._accepted > accepted and self._is_bearable(request):
            # Others were let in meanwhile: tokens end just now, and no setting is wrong.
            answer = Answer(Meaning.UNAVAILABLE, None, fault=Fault.TOKEN)
        return answer, tuple(sending.exchanges)

    def _is_bearable(self, request: Request) -> bool:
        """Count that such a request was let in nowhere, and tell whether that may be by chance."""
        self._shut_out[_kind(request)] += 1
        return self._shut_out[_kind(request)] <= SHUT_OUT_MAX

    def _default_timeout_seconds(self, request: Request) -> float:
        if request.upload is not None:
            return self._connection.upload_timeout_seconds
        return self._connection.request_timeout_seconds

    async def _send_with(
        self, token: Token | Answer, request: Request, sending: _Sending
    ) -> Answer:
        if isinstance(token, Answer):
            return token
        if sending.is_too_late:
            return Answer(Meaning.UNAVAILABLE, None, fault=Fault.CONNECT)
        headers = self._common_headers | {
            "Authorization": f"Bearer {token.value}",
            "X-Tenant": self._connection.tenant,
        }
        content = None if request.body is None else encode_body(request.body)
        if content is not None:
            headers["Content-Type"] = "application/json"
        outgoing = Outgoing(
            request.method, self._base_url + target(request), headers, content, request.upload
        )
        answer = await self._exchange(outgoing, request.route, sending)
        if answer.meaning is Meaning.DONE:
            self._accepted += 1
            self._shut_out.pop(_kind(request), None)
        return answer

    async def _obtain_token(self, sending: _Sending, *, refused: Token | None) -> Token | Answer:
        """Return the shared token, renewed when it is due or is the one refused."""
        try:
            async with asyncio.timeout(max(0.0, sending.seconds_left)):
                await self._token_lock.acquire()
        except TimeoutError:
            return Answer(Meaning.UNAVAILABLE, None, fault=Fault.TOKEN)
        try:
            token = self._token
            if token is not None and token is not refused and token.is_fresh(self._clock.now()):
                return token
            return await self._renew_token(sending, refused=refused)
        finally:
            self._token_lock.release()

    async def _renew_token(self, sending: _Sending, *, refused: Token | None) -> Token | Answer:
        if self._denial is not None:
            raise ConfigurationError(self._denial.message)
        # The old token goes first: whatever happens now, its refresh token is used up.
        old, self._token = self._token, None
        found = await self._ask_in_turn(old, sending)
        if isinstance(found, Denial):
            # Never asked again with the same settings (API 4.4).
            self._denial = found
            raise ConfigurationError(found.message)
        if isinstance(found, Answer):
            if old is None or old is refused or old.is_expired(self._clock.now()):
                return found
            # It was due but not over, so trouble with tokens does not stop the work yet.
            found = replace(old, refresh="")
        self._token = found
        return found

    async def _ask_in_turn(self, old: Token | None, sending: _Sending) -> Token | Denial | Answer:
        refresh = "" if old is None else old.refresh
        first, *others = token_requests(self._connection.credentials, refresh)
        found = await self._ask_for_token(first, sending)
        for request in others:
            if not isinstance(found, Denial):
                break
            found = await self._ask_for_token(request, sending)
        return found

    async def _ask_for_token(
        self, request: TokenRequest, sending: _Sending
    ) -> Token | Denial | Answer:
        headers = self._common_headers | {"Content-Type": request.content_type}
        url = self._base_url + request.path
        outgoing = Outgoing("POST", url, headers, request.content)
        answer = await self._exchange(outgoing, request.path, sending, keeps_digests=False)
        return read_token(self._connection.credentials, request, answer, now=self._clock.now())

    async def _exchange(
        self, outgoing: Outgoing, route: str, sending: _Sending, *, keeps_digests: bool = True
    ) -> Answer:
        seconds_left = sending.seconds_left
        if seconds_left <= 0:
            return Answer(Meaning.UNAVAILABLE, None, fault=Fault.CONNECT)
        # In this order the time on record spans all of the call, however late this task goes on.
        started, started_at = self._clock.monotonic(), self._clock.now()
        incoming = await self._http.send(outgoing, timeout_seconds=seconds_left)
        content = outgoing.upload.content if outgoing.upload else outgoing.content or b""
        answer = read_answer(outgoing.method, incoming, now=self._clock.now())
        sending.exchanges.append(
            Exchange(
                outgoing.method,
                route,
                incoming.status,
                started_at,
                seconds=self._clock.monotonic() - started,
                request_sha256=digest(content) if keeps_digests else "",
                answer_sha256=digest(incoming.content) if keeps_digests else "",
                fault=answer.fault,
                bytes_sent=len(content),
                bytes_received=len(incoming.content),
            )
        )
        return answer


def _kind(request: Request) -> str:
    return f"{request.method} {request.route.split('/')[1]}"


def _transport(connection: Connection) -> Transport:
    # Most verbs of the command line call nobody, and aiohttp takes long to import.
    from sync.dokstamp.http_client import HttpClient  # noqa: PLC0415

    return HttpClient(
        connect_timeout_seconds=connection.connect_timeout_seconds,
        connections_max=connection.connections_max,
        answer_bytes_max=connection.answer_bytes_max,
        trust_env=connection.trust_env,
        ssl_context=connection.ssl_context,
    )


def user_agent() -> str:
    """Return the name under which the service sees us."""
    try:
        release = version(DISTRIBUTION)
    except PackageNotFoundError:
        release = "0"
    return f"{DISTRIBUTION}/{release} (+python aiohttp)"
