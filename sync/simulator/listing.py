"""Lists: filters, order, pages and the two styles of `meta`."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from sync.simulator.call import Call
from sync.simulator.entity import Entity
from sync.simulator.message import JsonObject, SimulatedResponse, json_response
from sync.simulator.refusal import RefusedError, invalid
from sync.simulator.tables import Record, fold, stamp, text_of

_WHERE = re.compile(r"where\[(.*)\]")
_DEFAULT_PER_PAGE = 15
_LARGEST_PER_PAGE = 100

Filters = dict[str, str]
Present = Callable[[Call, Record], JsonObject]


@dataclass(frozen=True, slots=True)
class _Page:
    number: int
    size: int


def list_table(call: Call, entity: Entity) -> SimulatedResponse:
    """Return a page of this tenant's records of one kind."""
    filters = _read_filters(call, entity)
    return _answer(call, entity, _candidates(call, entity, filters), filters=filters)


def list_nested(
    call: Call, entity: Entity, records: Iterable[Record], *, present: Present | None = None
) -> SimulatedResponse:
    """Return a page, or all, of the records that belong to one parent."""
    filters = _read_filters(call, entity)
    rows = sorted(records, key=lambda record: record.number)
    is_whole = call.switches.nested_lists == "all"
    return _answer(call, entity, rows, filters=filters, present=present, is_whole=is_whole)


def _answer(
    call: Call,
    entity: Entity,
    records: Sequence[Record],
    *,
    filters: Filters,
    present: Present | None = None,
    is_whole: bool = False,
) -> SimulatedResponse:
    show = present or entity.present
    rows = _visible(call, records)
    if filters:
        rows = [record for record in rows if _fits(call, record, filters)]
    rows = _ordered(call, entity, rows)
    if is_whole:
        return json_response(200, {"data": [show(call, record) for record in rows]})
    page = _read_page(call)
    start = (page.number - 1) * page.size
    data = [show(call, record) for record in rows[start : start + page.size]]
    return json_response(200, _envelope(call, data, page=page, total=len(rows)))


def _read_filters(call: Call, entity: Entity) -> Filters:
    filters: Filters = {}
    for name, value in call.request.query:
        found = _WHERE.fullmatch(name)
        if not found:
            continue
        if entity.knows_column(found[1]):
            filters[found[1]] = value
        elif call.switches.unknown_filter == "422":
            raise invalid({name: ["The filter is not supported."]})
        elif call.switches.unknown_filter == "500":
            raise RefusedError(500)
    return filters


def _candidates(call: Call, entity: Entity, filters: Filters) -> Sequence[Record]:
    table = call.store.table(entity.table)
    if "uuid" in filters:
        record = call.own(entity.table, filters["uuid"])
        return [] if record is None else [record]
    indexed = [column for column in filters if column in table.indexed]
    if not indexed:
        return table.live(call.tenant)
    best = min(indexed, key=lambda column: table.count(call.tenant, column, filters[column]))
    found = table.find_live(call.tenant, best, filters[best])
    return sorted(found, key=lambda record: record.number)


def _visible(call: Call, records: Sequence[Record]) -> Sequence[Record]:
    if not call.search_lag:
        return records
    newest = call.now - call.search_lag
    return [record for record in records if record.created_at <= newest]


def _column(record: Record, column: str) -> object:
    match column:
        case "uuid":
            return record.uuid
        case "created_at":
            return stamp(record.created_at)
        case "updated_at":
            return stamp(record.updated_at)
        case _:
            return record.values.get(column)


def _fits(call: Call, record: Record, filters: Filters) -> bool:
    is_exact = call.switches.filter_case == "exact"
    return all(
        _matches(_column(record, column), wanted, is_exact=is_exact)
        for column, wanted in filters.items()
    )


def _matches(value: object, wanted: str, *, is_exact: bool) -> bool:
    if value is None:
        return False
    if isinstance(value, bool):
        return wanted.lower() in (("true", "1") if value else ("false", "0"))
    if is_exact:
        return text_of(value) == wanted
    return fold(value) == fold(wanted)


def _ordered(call: Call, entity: Entity, records: Sequence[Record]) -> Sequence[Record]:
    query = dict(call.request.query)
    column = query.get("sort[column]", "")
    if entity.knows_column(column):
        return sorted(
            records,
            key=lambda record: _sort_key(_column(record, column)),
            reverse=query.get("sort[order]", "asc").lower() == "desc",
        )
    if call.switches.default_order == "shuffled":
        return call.rng.sample(records, len(records))
    return records


def _sort_key(value: object) -> tuple[int, float, str]:
    if value is None:
        return (0, 0.0, "")
    if isinstance(value, bool | int | float):
        return (1, float(value), "")
    return (2, 0.0, fold(value))


def _read_page(call: Call) -> _Page:
    query = dict(call.request.query)
    size = _positive(query.get("per_page"), otherwise=_DEFAULT_PER_PAGE)
    if call.switches.per_page_max == "422" and size > _LARGEST_PER_PAGE:
        raise invalid({"per_page": ["The per page field must not be greater than 100."]})
    largest = _DEFAULT_PER_PAGE if call.switches.per_page_max == "15" else _LARGEST_PER_PAGE
    is_honoured = call.switches.page_param == "honoured"
    number = _positive(query.get("page"), otherwise=1) if is_honoured else 1
    return _Page(number, min(size, largest))


def _positive(text: str | None, *, otherwise: int) -> int:
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 9:
        return otherwise
    return int(text) or otherwise


def _envelope(call: Call, data: list[JsonObject], *, page: _Page, total: int) -> JsonObject:
    meta: JsonObject = {"current_page": page.number, "per_page": page.size, "total": total}
    if call.switches.meta_style == "three_fields":
        return {"data": data, "meta": meta}
    last = max(1, -(-total // page.size))
    first_row = (page.number - 1) * page.size + 1
    meta |= {
        "from": first_row if data else None,
        "to": first_row + len(data) - 1 if data else None,
        "last_page": last,
        "path": _link(call, None),
        "links": [],
    }
    links = {
        "first": _link(call, 1),
        "last": _link(call, last),
        "prev": _link(call, page.number - 1) if page.number > 1 else None,
        "next": _link(call, page.number + 1) if page.number < last else None,
    }
    return {"data": data, "links": links, "meta": meta}


def _link(call: Call, page: int | None) -> str:
    host = call.request.header("host") or "api.dokstamp.com"
    base = f"http://{host}{call.request.path}"
    return base if page is None else f"{base}?{urlencode({'page': page})}"
