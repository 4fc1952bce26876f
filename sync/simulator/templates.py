"""Certificate templates."""

from sync.simulator.call import Call
from sync.simulator.entity import Entity, Field, brief
from sync.simulator.institutions import deleted_at
from sync.simulator.message import JsonObject
from sync.simulator.tables import Record, stamp

_FIELDS = (
    Field(name="name", required=True),
    Field(name="version", required=True),
    Field(name="institution_uuid", kind="reference", table="institutions", required=True),
    Field(name="path", required=True),
    Field(name="preview_image_path"),
    Field(name="canva_config", kind="object"),
    Field(name="is_default", kind="boolean", default=False),
    Field(name="status", default="active", choices=("active", "inactive")),
)


def _present(call: Call, record: Record) -> JsonObject:
    return {
        "uuid": record.uuid,
        **{item.name: record.values.get(item.name) for item in _FIELDS if item.kind != "reference"},
        "institution": brief(call, "institutions", record.values.get("institution_uuid")),
        "created_at": stamp(record.created_at),
        **deleted_at(record),
    }


TEMPLATE = Entity(
    table="certificate_templates",
    fields=_FIELDS,
    present=_present,
    parents=frozenset({"institution_uuid"}),
)
