"""A list of records that is paged in all the ways that a service may page it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from sync.dokstamp.answer import Answer, classify
from sync.dokstamp.envelope import Row
from sync.dokstamp.listing import Listing, keep_all, walk
from sync.dokstamp.request import Request

Respond = Callable[[dict[str, str], int], Answer]


def people(count: int) -> list[dict[str, Any]]:
    return [{"uuid": f"U-{number:04}", "code": f"C{number}"} for number in range(count)]


def answer_with(body: Any, status: int = 200) -> Answer:
    return Answer(classify("GET", status=status), status, body)


@dataclass
class Lister:
    """A list of records that is paged as its switches say."""

    records: list[dict[str, Any]]
    per_page_max: int = 100
    page_is_honoured: bool = True
    has_meta: bool = True
    has_last_page: bool = False
    has_total: bool = True
    filter_is: str = "obeyed"
    shuffles: Random | None = None
    sort_is_refused: bool = False
    per_page_is_refused: bool = False
    queries: list[dict[str, str]] = field(default_factory=list)

    def __call__(self, query: dict[str, str], _number: int) -> Answer:
        self.queries.append(query)
        if self.refuses(query):
            return answer_with({"message": "no"}, 422)
        if "where[code]" in query and self.filter_is == "500":
            return answer_with({"message": "Server Error"}, 500)
        found = self.ordered(query)
        page = int(query["page"]) if self.page_is_honoured else 1
        size = min(int(query["per_page"]), self.per_page_max)
        if not self.has_meta:
            return answer_with({"data": found})
        data = found[(page - 1) * size : page * size]
        return answer_with({"data": data, "meta": self.meta(len(found), page, size)})

    def refuses(self, query: dict[str, str]) -> bool:
        return (
            ("where[code]" in query and self.filter_is == "422")
            or ("sort[column]" in query and self.sort_is_refused)
            or (self.per_page_is_refused and int(query["per_page"]) > self.per_page_max)
        )

    def ordered(self, query: dict[str, str]) -> list[dict[str, Any]]:
        code = query.get("where[code]") if self.filter_is == "obeyed" else None
        found = [row for row in self.records if code in (None, row["code"])]
        if self.shuffles is not None and "sort[column]" not in query:
            self.shuffles.shuffle(found)
        return found

    def meta(self, total: int, page: int, size: int) -> dict[str, int]:
        meta = {"current_page": page, "per_page": size}
        if self.has_total:
            meta["total"] = total
        if self.has_last_page:
            meta["last_page"] = max(1, -(-total // size))
        return meta


def run(
    respond: Respond,
    *,
    filters: tuple[tuple[str, str], ...] = (),
    page_size: int = 50,
    pages_max: int = 500,
    keep: Callable[[Row], bool] = keep_all,
) -> Listing:
    steps = walk(
        "/courses",
        route="/courses",
        filters=filters,
        page_size=page_size,
        pages_max=pages_max,
        keep=keep,
    )
    try:
        request: Request = next(steps)
        for number in range(10_000):
            assert request.method == "GET"
            request = steps.send(respond(dict(request.query), number))
    except StopIteration as end:
        listing: Listing = end.value
        return listing
    raise AssertionError("the walk has no end")
