"""Student portfolio pages and the items on them."""

from collections.abc import Mapping

from sync.simulator.call import Call
from sync.simulator.crud import create, update
from sync.simulator.entity import Entity, Field, brief
from sync.simulator.institutions import deleted_at
from sync.simulator.listing import list_nested
from sync.simulator.message import JsonObject, SimulatedResponse
from sync.simulator.refusal import Errors
from sync.simulator.tables import Record


def _present_item(call: Call, record: Record) -> JsonObject:
    certificate = record.values.get("certificate_uuid")
    return {
        "uuid": record.uuid,
        "certificate": brief(call, "certificates", certificate, "public_verification_url"),
        "sort_order": record.values.get("sort_order"),
        "is_visible": record.values.get("is_visible"),
    }


ITEM = Entity(
    table="items",
    fields=(
        Field(name="certificate_uuid", kind="reference", table="certificates", required=True),
        Field(name="sort_order", kind="integer"),
        Field(name="is_visible", kind="boolean", default=True),
    ),
    present=_present_item,
    columns=("page_uuid",),
    indexed=("page_uuid",),
)


def _present_page(call: Call, record: Record) -> JsonObject:
    items = call.store.table("items").find_live(call.tenant, "page_uuid", record.uuid)
    return {
        "uuid": record.uuid,
        "slug": record.values.get("slug"),
        "is_public": record.values.get("is_public"),
        "bio": record.values.get("bio"),
        "student": brief(call, "students", record.values.get("student_uuid")),
        "items": [_present_item(call, item) for item in items],
        **deleted_at(record),
    }


def _check_slug(call: Call, values: Mapping[str, object]) -> Errors:
    """Refuse a slug that any tenant uses: slugs are one name space for the whole platform."""
    taken = [
        page
        for page in call.store.table("pages").everything()
        if page.values.get("slug") == values.get("slug")
        and page.uuid != call.parameters.get("page_uuid", "").lower()
        and (page.deleted_at is None or call.switches.unique_counts_deleted == "yes")
    ]
    return {"slug": ["The slug has already been taken."]} if taken else {}


PAGE = Entity(
    table="pages",
    fields=(
        Field(name="slug", kind="slug", required=True),
        Field(name="is_public", kind="boolean", default=False),
        Field(name="bio"),
    ),
    present=_present_page,
    check=_check_slug,
    columns=("student_uuid",),
    indexed=("student_uuid",),
)


def list_pages(call: Call) -> SimulatedResponse:
    """Return the pages of a student."""
    student = call.named("students")
    pages = call.store.table("pages").find_live(call.tenant, "student_uuid", student.uuid)
    return list_nested(call, PAGE, pages)


def create_page(call: Call) -> SimulatedResponse:
    """Make a page, private unless told otherwise."""
    return create(call, PAGE, fixed={"student_uuid": call.named("students").uuid})


def update_page(call: Call) -> SimulatedResponse:
    """Change a page."""
    return update(call, PAGE, _named_page(call))


def list_items(call: Call) -> SimulatedResponse:
    """Return the items of a page."""
    page = _named_page(call)
    items = call.store.table("items").find_live(call.tenant, "page_uuid", page.uuid)
    return list_nested(call, ITEM, items)


def create_item(call: Call) -> SimulatedResponse:
    """Put a certificate on a page."""
    return create(call, ITEM, fixed={"page_uuid": _named_page(call).uuid})


def update_item(call: Call) -> SimulatedResponse:
    """Change an item of a page."""
    page = _named_page(call)
    item = call.named("items", "item_uuid")
    if item.values.get("page_uuid") != page.uuid:
        call.refuse_path()
    return update(call, ITEM, item)


def _named_page(call: Call) -> Record:
    student = call.named("students")
    page = call.named("pages", "page_uuid")
    if page.values.get("student_uuid") != student.uuid:
        call.refuse_path()
    return page
