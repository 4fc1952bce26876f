"""Institutions and the organizations under them."""

from collections.abc import Mapping

from sync.simulator.call import Call
from sync.simulator.entity import Dependant, Entity, Field, brief
from sync.simulator.message import JsonObject, SimulatedResponse, json_response
from sync.simulator.refusal import Errors, RefusedError
from sync.simulator.tables import Record, stamp

_INSTITUTION_FIELDS = (
    Field(name="name", required=True, maximum=255),
    Field(name="country", required=True),
    Field(name="legal_name"),
    Field(name="tax_id"),
    Field(name="website", kind="url"),
    Field(name="linkedin_organization"),
    Field(name="status", default="active", choices=("active", "inactive", "suspended")),
    Field(name="is_badges_enabled", kind="boolean", default=False),
    Field(name="badge_image_uuid", kind="reference", table="files"),
)


def _present_institution(_call: Call, record: Record) -> JsonObject:
    return {
        "uuid": record.uuid,
        **{item.name: record.values.get(item.name) for item in _INSTITUTION_FIELDS},
        "created_at": stamp(record.created_at),
        "updated_at": stamp(record.updated_at),
        **deleted_at(record),
    }


def deleted_at(record: Record) -> JsonObject:
    """Return the mark that only deleted records carry."""
    return {} if record.deleted_at is None else {"deleted_at": stamp(record.deleted_at)}


def use_badge_image(call: Call, record: Record) -> None:
    """Mark the file that serves as a badge image as used."""
    image = call.store.table("files").get(record.text("badge_image_uuid"))
    if image is not None and image.values.get("used_at") is None:
        call.store.table("files").change(image, {"used_at": stamp(call.now)})


def _check_badges(_call: Call, values: Mapping[str, object]) -> Errors:
    if values.get("is_badges_enabled") is True and values.get("badge_image_uuid") is None:
        return {"badge_image_uuid": ["The badge image uuid field is required."]}
    return {}


INSTITUTION = Entity(
    table="institutions",
    fields=_INSTITUTION_FIELDS,
    present=_present_institution,
    check=_check_badges,
    follow_up=use_badge_image,
    dependants=(
        Dependant(table="courses", column="institution_uuid"),
        Dependant(table="modules", column="institution_uuid"),
        Dependant(table="certificates", column="institution_uuid"),
    ),
    indexed=("name",),
)


def _present_organization(call: Call, record: Record) -> JsonObject:
    return {
        "uuid": record.uuid,
        "name": record.values.get("name"),
        "code": record.values.get("code"),
        "institution": brief(call, "institutions", record.values.get("institution_uuid")),
        "created_at": stamp(record.created_at),
        **deleted_at(record),
    }


ORGANIZATION = Entity(
    table="organizations",
    fields=(
        Field(name="name", required=True, maximum=255),
        Field(name="institution_uuid", kind="reference", table="institutions", required=True),
        Field(name="code"),
    ),
    present=_present_organization,
    parents=frozenset({"institution_uuid"}),
    indexed=("code", "name"),
)


def show_badge_issuer(call: Call) -> SimulatedResponse:
    """Return the public issuer profile of an institution, whichever tenant it belongs to."""
    record = call.store.table("institutions").get(call.parameters["uuid"])
    if record is None or record.deleted_at is not None:
        raise RefusedError(404)
    profile = {
        "@context": "https://w3id.org/openbadges/v2",
        "type": "Issuer",
        "id": f"https://api.dokstamp.com{call.request.path}",
        "name": record.values.get("name"),
        "url": record.values.get("website"),
    }
    return json_response(200, profile)
