"""A whole list, or the reason why it is not known: absence is only ever read off a whole list.

The walker of API 7.1 and 7.2 as a generator of requests, which is sent the answers:

```
            refused filter or page size: the same list with less asked for
            ┌──────────────────────────────┐
  first page ──► next page ──► … ──► every row counted ──► Complete
                    └─► rows lost or total moved: once more, sorted ──► else Unknown
```

A filter that the service ignores costs pages, never truth: the caller checks every row.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from sync.dokstamp.answer import Answer, Meaning
from sync.dokstamp.envelope import Pagination, Row, pagination, rows, uuid_of
from sync.dokstamp.request import Request

PAGE_SIZE: Final = 50
PAGE_SIZE_DOCUMENTED: Final = 15
"""The service's own default, and so a page size that it cannot refuse."""
PAGES_MAX: Final = 2000
"""Pages asked for in one walk of a list, repeats included."""
PASSES_MAX: Final = 4
"""How often a list is read from its start because it moved while it was read."""

_FILTER_REFUSED_STATUS: Final = 500


class Doubt(StrEnum):
    """Why a list is not known."""

    UNANSWERED = "unanswered"
    """A page was not answered with a list: the answer's meaning says more."""
    REFUSED = "refused"
    """The service refuses to list this, also without filters."""
    NOT_UNDERSTOOD = "not_understood"
    """A page holds something other than records with uuids."""
    PAGE_IGNORED = "page_ignored"
    """The service keeps sending the same page."""
    UNSTEADY = "unsteady"
    """Rows and total never agreed, however often the list was read."""
    TOO_LONG = "too_long"
    """The list has more pages than the walk may ask for."""


@dataclass(frozen=True, slots=True)
class Complete:
    """Every record of the list was seen; these are the ones kept."""

    rows: tuple[Row, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Unknown:
    """The list could not be read whole, so nothing may be concluded from it."""

    reason: Doubt
    answer: Answer
    """The last answer, which stopped the walk."""


Listing = Complete | Unknown


class _End(StrEnum):
    WHOLE = "whole"
    MOVED = "moved"
    STUCK = "stuck"
    """The page brought nothing new although rows are missing."""


def keep_all(row: Row) -> bool:
    """Keep every row."""
    return bool(row)


def walk(
    path: str,
    *,
    route: str,
    filters: tuple[tuple[str, str], ...] = (),
    page_size: int = PAGE_SIZE,
    pages_max: int = PAGES_MAX,
    keep: Callable[[Row], bool] = keep_all,
) -> Generator[Request, Answer, Listing]:
    """Return every record of a list that `keep` accepts, or why the list is not known.

    Of the rows that `keep` refuses only the uuid is remembered, while the walk lasts.
    """
    first, *others = _ways(filters, max(1, page_size))
    found = yield from _Walk(path, route, first.filters, first.page_size, pages_max, keep).run()
    for way in others:
        if not isinstance(found, Unknown) or found.reason is not Doubt.REFUSED:
            return found
        if found.answer.meaning in way.after:
            found = yield from _Walk(path, route, way.filters, way.page_size, pages_max, keep).run()
    return found


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to ask for a list, and after which refusal it is worth trying."""

    filters: tuple[tuple[str, str], ...] = field(repr=False)
    page_size: int
    after: frozenset[Meaning] = frozenset()


def _ways(filters: tuple[tuple[str, str], ...], page_size: int) -> list[_Way]:
    """Return the ways to ask for a list, the one that costs least first."""
    small = min(page_size, PAGE_SIZE_DOCUMENTED)
    failed, refused = frozenset({Meaning.UNAVAILABLE}), frozenset({Meaning.INVALID})
    ways = [_Way(filters, page_size)]
    if filters:
        # A single 500 is more often trouble than a refused filter, and a walk without
        # filters may be thousands of pages.
        ways += [_Way(filters, page_size, failed), _Way((), page_size, failed | refused)]
    if small < page_size:
        ways.append(_Way(filters, small, refused))
    if filters and small < page_size:
        ways.append(_Way((), small, refused))
    return ways


@dataclass(slots=True)
class _Walk:
    """One way of asking for a list, from its first page until it is whole or given up."""

    path: str
    route: str
    filters: tuple[tuple[str, str], ...] = field(repr=False)
    page_size: int
    pages_left: int
    keep: Callable[[Row], bool]
    sort: tuple[tuple[str, str], ...] = ()
    total: int | None = None
    seen: dict[str, Row | None] = field(default_factory=dict, repr=False)
    """Every row since the total last moved, by uuid; None for those not kept."""
    passed: set[str] = field(default_factory=set)
    """The uuids seen since the list was last read from its start."""

    def run(self) -> Generator[Request, Answer, Listing]:
        """Return the list, read again from its start while it moves."""
        for _ in range(PASSES_MAX):
            end, answer = yield from self._pass()
            if isinstance(end, Doubt):
                return Unknown(end, answer)
            if end is _End.WHOLE:
                return Complete(self._rows())
            # The default order is undefined (API 7.3), so a list whose pages do not fit
            # together is read again in an order of our own.
            self.sort = (("sort[column]", "uuid"), ("sort[order]", "asc"))
        return Unknown(Doubt.PAGE_IGNORED if end is _End.STUCK else Doubt.UNSTEADY, answer)

    def _pass(self) -> Generator[Request, Answer, tuple[_End | Doubt, Answer]]:
        self.passed.clear()
        number = 1
        while True:
            answer = yield self._request(number)
            if number == 1 and self.sort and _is_refusal(answer):
                self.sort = ()
                answer = yield self._request(number)
            end = self._read(answer, number)
            if end is not None:
                return end, answer
            self.pages_left -= 1
            if self.pages_left <= 0:
                return Doubt.TOO_LONG, answer
            number += 1

    def _request(self, number: int) -> Request:
        columns = tuple((f"where[{column}]", value) for column, value in self.filters)
        pages = (("page", str(number)), ("per_page", str(self.page_size)))
        return Request("GET", self.path, self.route, query=columns + self.sort + pages)

    def _read(self, answer: Answer, number: int) -> _End | Doubt | None:
        """Take a page in and tell whether the pass ends with it, and how."""
        if answer.meaning is not Meaning.DONE:
            is_refused = number == 1 and _is_refusal(answer)
            return Doubt.REFUSED if is_refused else Doubt.UNANSWERED
        page = rows(answer)
        pages = pagination(answer)
        if page is None or (pages is None and number > 1):
            return Doubt.NOT_UNDERSTOOD
        if pages is None:
            return self._read_plain(page)
        if self._total_moved(pages, number):
            return _End.MOVED
        added = self._collect(page)
        return self._judge(pages, number, is_empty=not page, added=added)

    def _read_plain(self, page: tuple[Row, ...]) -> _End:
        """Take in a list without `meta`, which is whole (API 7.1) unless it fills a page."""
        self.seen.clear()
        self.total = None
        self._collect(page)
        if len(page) != self.page_size:
            return _End.WHOLE
        # A list that was cut at a page would look the same: asking for one row more tells.
        self.page_size += 1
        return _End.MOVED

    def _total_moved(self, pages: Pagination, number: int) -> bool:
        has_moved = pages.total != self.total
        if has_moved or (pages.total is None and number == 1):
            # What was seen before the list moved proves nothing about it now.
            self.seen.clear()
        self.total = pages.total
        return has_moved and number > 1

    def _collect(self, page: tuple[Row, ...]) -> int:
        """Take rows in and return how many of them this pass had not seen."""
        before = len(self.passed)
        for row in page:
            uuid = uuid_of(row).casefold()
            self.passed.add(uuid)
            is_kept = row.get("deleted_at") is None and self.keep(row)
            self.seen[uuid] = row if is_kept else None
        return len(self.passed) - before

    def _judge(
        self, pages: Pagination, number: int, *, is_empty: bool, added: int
    ) -> _End | Doubt | None:
        if self.total is not None and self.total in (len(self.passed), len(self.seen)):
            return _End.WHOLE
        if is_empty or (pages.last_page is not None and number >= pages.last_page):
            return _End.WHOLE if self.total is None else _End.MOVED
        if pages.current_page is not None and pages.current_page != number:
            return Doubt.PAGE_IGNORED
        if added == 0:
            return _End.STUCK
        has_too_many = self.total is not None and len(self.passed) > self.total
        return _End.MOVED if has_too_many else None

    def _rows(self) -> tuple[Row, ...]:
        is_one_pass = self.total in (None, len(self.passed))
        uuids = self.passed if is_one_pass else self.seen
        return tuple(row for uuid, row in self.seen.items() if row is not None and uuid in uuids)


def _is_refusal(answer: Answer) -> bool:
    """Tell whether an answer may be the service's way to refuse a parameter (API 7.2)."""
    return answer.meaning is Meaning.INVALID or answer.status == _FILTER_REFUSED_STATUS
