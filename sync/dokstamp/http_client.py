"""The one aiohttp session: sends what it is given once, and says what came back.

It never follows, repeats, keeps cookies or raises for what a network does: every failure is
an `Incoming` with a fault. Only a certificate that is not trusted is an error, of settings.
"""

import asyncio
import io
import re
from dataclasses import dataclass
from ssl import SSLContext
from types import SimpleNamespace
from typing import Final

import aiohttp
import yarl

from sync.dokstamp.answer import Fault
from sync.dokstamp.wire import ANSWER_BYTES_MAX, Incoming, Outgoing
from sync.errors import ConfigurationError

KEEPALIVE_SECONDS: Final = 4.0
"""Below the five seconds after which common servers close: a write that meets a closing
connection is uncertain, and costs a settle window."""

_CHUNK_BYTES: Final = 64 * 2**10
_WRITE_BYTES: Final = 256 * 2**10
_HEADERS_KEPT: Final = frozenset(
    {"retry-after", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"}
)
_NAME_REPLACED: Final = re.compile(r"[^A-Za-z0-9._-]")

_FAULTS: Final[tuple[tuple[type[BaseException], Fault], ...]] = (
    (aiohttp.ClientConnectorError, Fault.CONNECT),
    (aiohttp.ConnectionTimeoutError, Fault.CONNECT),
    (TimeoutError, Fault.TIMEOUT),
    (aiohttp.ClientPayloadError, Fault.INCOMPLETE),
    (aiohttp.ClientResponseError, Fault.PROTOCOL),
)


class _ConnectionLostError(aiohttp.ClientError):
    """The connection broke after the request had begun."""


class _TooLateError(aiohttp.ClientError):
    """The time for the request was over before its first byte was written."""


@dataclass(slots=True)
class _Attempt:
    """What is known of one request while it is under way."""

    ends_at: float
    """On the clock of the loop."""
    possibly_sent: bool = False
    status: int | None = None


class HttpClient:
    """A pool of connections that sends each request exactly once."""

    def __init__(
        self,
        *,
        connect_timeout_seconds: float,
        connections_max: int,
        answer_bytes_max: int = ANSWER_BYTES_MAX,
        trust_env: bool = False,
        ssl_context: SSLContext | None = None,
    ) -> None:
        self._connect_timeout_seconds = connect_timeout_seconds
        self._connections_max = connections_max
        self._answer_bytes_max = answer_bytes_max
        self._trust_env = trust_env
        self._ssl_context = ssl_context
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Make the session; does nothing when there is one."""
        if self._session is not None:
            return
        tracing = aiohttp.TraceConfig()
        tracing.on_request_headers_sent.append(_note_sending)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self._connections_max,
                keepalive_timeout=KEEPALIVE_SECONDS,
                ssl=self._ssl_context or True,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=self._trust_env,
            trace_configs=[tracing],
            middlewares=(_send_once,),
        )

    async def close(self) -> None:
        """Close every connection; does nothing when there are none."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def send(self, outgoing: Outgoing, *, timeout_seconds: float) -> Incoming:
        """Return what came back for this request, sent once within this time."""
        if self._session is None:
            message = "the client is not open; use it inside `async with`"
            raise RuntimeError(message)
        attempt = _Attempt(asyncio.get_running_loop().time() + timeout_seconds)
        try:
            return await self._exchange(self._session, outgoing, attempt, timeout_seconds)
        except aiohttp.ClientConnectorCertificateError as error:
            message = (
                "the server's certificate is not trusted: check DOKSTAMP_BASE_URL, and the "
                "certificates and the clock of this machine"
            )
            raise ConfigurationError(message) from error
        except (aiohttp.ClientError, OSError) as error:
            # Texts of errors hold the address with its query, so only a code goes on.
            return Incoming(attempt.status, fault=_fault(error, attempt))

    async def _exchange(
        self,
        session: aiohttp.ClientSession,
        outgoing: Outgoing,
        attempt: _Attempt,
        timeout_seconds: float,
    ) -> Incoming:
        connect_seconds = min(self._connect_timeout_seconds, timeout_seconds)
        async with session.request(
            outgoing.method,
            yarl.URL(outgoing.url, encoded=True),
            headers=outgoing.headers,
            data=_payload(outgoing),
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(
                total=timeout_seconds, connect=connect_seconds, sock_connect=connect_seconds
            ),
            trace_request_ctx=attempt,
        ) as response:
            attempt.status = response.status
            headers = {
                name.lower(): value
                for name, value in response.headers.items()
                if name.lower() in _HEADERS_KEPT
            }
            content = await _read(response, self._answer_bytes_max)
            if content is None:
                response.close()
                return Incoming(response.status, headers=headers, fault=Fault.TOO_LARGE)
            return Incoming(response.status, content, headers)


async def _note_sending(
    _session: aiohttp.ClientSession,
    context: SimpleNamespace,
    _parameters: aiohttp.TraceRequestHeadersSentParams,
) -> None:
    # Called before the first byte goes into the socket: while it was not called, nothing
    # of the request can have reached anybody.
    attempt: _Attempt = context.trace_request_ctx
    if asyncio.get_running_loop().time() >= attempt.ends_at:
        # Whoever was stopped on the way here may have lost the right to send it.
        raise _TooLateError
    attempt.possibly_sent = True


async def _send_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    # aiohttp sends GET, PUT and DELETE again by itself when it sees one of these two on a
    # kept connection; under another name it does not.
    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, aiohttp.ServerTimeoutError):
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _ConnectionLostError from error


async def _read(response: aiohttp.ClientResponse, bytes_max: int) -> bytes | None:
    """Return the body, decompressed, or None when it is larger than allowed."""
    content = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        content += chunk
        if len(content) > bytes_max:
            return None
    return bytes(content)


def _payload(outgoing: Outgoing) -> aiohttp.FormData | io.BytesIO | bytes | None:
    if outgoing.upload is not None:
        # Quoted, the field would arrive as `files%5B%5D`, which is another field.
        form = aiohttp.FormData(quote_fields=False)
        form.add_field(
            "files[]",
            io.BytesIO(outgoing.upload.content),
            filename=_NAME_REPLACED.sub("_", outgoing.upload.name) or "file",
            content_type="application/pdf",
        )
        return form
    content = outgoing.content
    # Large bytes in one write would hold up the loop; a stream is written in pieces.
    return content if content is None or len(content) <= _WRITE_BYTES else io.BytesIO(content)


def _fault(error: BaseException, attempt: _Attempt) -> Fault:
    if not attempt.possibly_sent:
        return Fault.CONNECT
    return next((fault for kind, fault in _FAULTS if isinstance(error, kind)), Fault.RESET)
