"""Counts calls on their way out, and tells who listens."""

from collections import Counter
from collections.abc import Callable

from sync.dispatcher.conversation_worker import Sender
from sync.dokstamp.answer import Answer
from sync.dokstamp.exchange import Exchange
from sync.dokstamp.request import Request

TOKEN_ROUTES = frozenset({"/oauth/token", "/auth/login", "/auth/refresh"})


class CountedSender:
    """A sender that counts the requests for resources by method."""

    def __init__(self, sender: Sender, listen: Callable[[Exchange], None]) -> None:
        self._sender = sender
        self._listen = listen
        self.calls: Counter[str] = Counter()

    async def send(
        self, request: Request, *, timeout_seconds: float | None = None
    ) -> tuple[Answer, tuple[Exchange, ...]]:
        """Return what the sender behind returns."""
        answer, exchanges = await self._sender.send(request, timeout_seconds=timeout_seconds)
        for exchange in exchanges:
            if exchange.route not in TOKEN_ROUTES:
                self.calls[exchange.method] += 1
            self._listen(exchange)
        return answer, exchanges
