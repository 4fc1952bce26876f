"""How a procedure asks: requests as steps, to be used with `yield from`.

```
answer = yield from ask(request)
found = yield from walk("/courses", route="/courses", filters=(("code", code),))
```
"""

from collections.abc import Callable, Generator
from typing import TypeVar

from ledger.reference import OperationKey
from sync.dispatcher.step import Call, Reply, Step
from sync.dokstamp import listing
from sync.dokstamp.answer import Answer
from sync.dokstamp.envelope import Row, as_record
from sync.dokstamp.listing import Listing
from sync.dokstamp.request import Request

T = TypeVar("T")


def ask(
    request: Request, operations: tuple[OperationKey, ...] = ()
) -> Generator[Step, Reply, Answer]:
    """Return the answer to one request."""
    reply = yield Call(request, operations)
    if not isinstance(reply, Answer):
        message = "a Call must be replied to with an Answer; correct the worker"
        raise TypeError(message)
    return reply


def ask_record(
    request: Request, operations: tuple[OperationKey, ...] = ()
) -> Generator[Step, Reply, Answer]:
    """Return the answer to a request for one record; done only if it shows a live one."""
    answer = yield from ask(request, operations)
    return as_record(answer, method=request.method)


def walk(
    path: str,
    *,
    route: str,
    filters: tuple[tuple[str, str], ...] = (),
    page_size: int = listing.PAGE_SIZE,
    pages_max: int = listing.PAGES_MAX,
    keep: Callable[[Row], bool] = listing.keep_all,
) -> Generator[Step, Reply, Listing]:
    """Return a whole list, or why it is not known; see `sync.dokstamp.listing`."""
    return (
        yield from relay(
            listing.walk(
                path,
                route=route,
                filters=filters,
                page_size=page_size,
                pages_max=pages_max,
                keep=keep,
            )
        )
    )


def relay(
    requests: Generator[Request, Answer, T], operations: tuple[OperationKey, ...] = ()
) -> Generator[Step, Reply, T]:
    """Return what a generator of requests returns, asking each as a step."""
    try:
        request = next(requests)
        while True:
            answer = yield from ask(request, operations)
            request = requests.send(answer)
    except StopIteration as end:
        result: T = end.value
        return result
