"""Certificates and their templates: creation, issuance, revocation.

```
draft ──► issued ──► revoked
             └─────► expired
```
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sync.simulator.call import Call
from sync.simulator.courses import check_same
from sync.simulator.crud import add
from sync.simulator.entity import Entity, Field, Unique, brief
from sync.simulator.institutions import deleted_at
from sync.simulator.message import JsonObject, SimulatedResponse, json_response
from sync.simulator.refusal import Errors, RefusedError, invalid
from sync.simulator.switches import Switches
from sync.simulator.tables import Record, stamp
from sync.simulator.validation import clean

_REVOKED_FIELDS = ("status", "revoked_at", "revocation_reason", "public_verification_url")
_BRIEFS = {
    "institution": "institutions",
    "course": "courses",
    "template": "certificate_templates",
}


@dataclass(frozen=True, slots=True)
class _IssueRule:
    """Which of the two ways to ask for issuance is understood."""

    obeys_finish: bool
    obeys_status: bool
    refuses: str = ""


_ISSUE_RULES = {
    "either": _IssueRule(obeys_finish=True, obeys_status=True),
    "finish": _IssueRule(obeys_finish=True, obeys_status=False),
    "status": _IssueRule(obeys_finish=False, obeys_status=True),
    "finish_strict": _IssueRule(obeys_finish=True, obeys_status=False, refuses="status"),
    "status_strict": _IssueRule(obeys_finish=False, obeys_status=True, refuses="finish"),
}


def _present(call: Call, record: Record) -> JsonObject:
    values = record.values
    snapshot = values.get("snapshot")
    student = brief(call, "students", values.get("student_uuid"))
    if student is not None and isinstance(snapshot, dict):
        student["name"] = snapshot["name"]
    enrollment = values.get("enrollment_uuid")
    return {
        "uuid": record.uuid,
        **{name: values.get(name) for name in ("issued_at", *_REVOKED_FIELDS)},
        "blockchain_tx_hash": None,
        "blockchain_tx_url": None,
        **{name: brief(call, table, values.get(f"{name}_uuid")) for name, table in _BRIEFS.items()},
        "student": student,
        "cohort": brief(call, "cohorts", values.get("cohort_uuid"), "code"),
        "enrollment": {"uuid": enrollment} if enrollment else None,
        "files": [{"type": "certificate", "uuid": values.get("file_uuid")}],
        "created_at": stamp(record.created_at),
        **deleted_at(record),
    }


def _unique(switches: Switches) -> tuple[Unique, ...]:
    if switches.certificate_unique == "no":
        return ()
    columns = ("course_uuid", "student_uuid")
    return (Unique(columns=columns, error="student_uuid", statuses=("draft", "issued")),)


def _check(call: Call, values: Mapping[str, object]) -> Errors:
    shared = {
        "course_uuid": ("courses", ("institution_uuid",)),
        "cohort_uuid": ("cohorts", ("course_uuid",)),
        "enrollment_uuid": ("enrollments", ("student_uuid", "course_uuid")),
        "template_uuid": ("certificate_templates", ("institution_uuid",)),
    }
    errors: Errors = {}
    for reference, (table, columns) in shared.items():
        errors |= check_same(call, values, reference=reference, table=table, columns=columns)
    return errors


CERTIFICATE = Entity(
    table="certificates",
    fields=(
        Field(name="institution_uuid", kind="reference", table="institutions", required=True),
        Field(name="course_uuid", kind="reference", table="courses", required=True),
        Field(name="student_uuid", kind="reference", table="students", required=True),
        Field(name="file_uuid", kind="reference", table="files", required=True),
        Field(name="cohort_uuid", kind="reference", table="cohorts"),
        Field(name="enrollment_uuid", kind="reference", table="enrollments"),
        Field(name="template_uuid", kind="reference", table="certificate_templates"),
        Field(name="finish", kind="boolean"),
        Field(name="status", choices=("draft", "issued")),
        Field(name="issued_at", kind="datetime"),
    ),
    present=_present,
    unique=_unique,
    check=_check,
    columns=("revoked_at", "revocation_reason", "public_verification_url"),
)


def create_certificate(call: Call) -> SimulatedResponse:
    """Make a certificate, as a draft or issued, and use up its file."""
    rule = _ISSUE_RULES[call.switches.issue_fields]
    body = call.body()
    if rule.refuses in body:
        raise invalid({rule.refuses: [f"The {rule.refuses} field is prohibited."]})
    if not rule.obeys_status:
        body = {name: value for name, value in body.items() if name not in {"status", "issued_at"}}
    sent, errors = clean(call, CERTIFICATE, body=body, is_update=False, fills=True)
    _require_unused(call, sent, errors)
    wants_issue = (rule.obeys_finish and sent.pop("finish", None) is True) or (
        rule.obeys_status and sent.get("status") == "issued"
    )
    record = add(call, CERTIFICATE, values=_draft(call, sent), errors=errors)
    call.store.table("files").change(_file(call, record), {"used_at": stamp(call.now)})
    if wants_issue:
        _start_issue(call, record, official=sent.get("issued_at"))
    return call.success(201, {"data": _present(call, record)})


def revoke(call: Call) -> SimulatedResponse:
    """Revoke an issued certificate for ever."""
    record = call.named("certificates")
    reason = call.body().get("revocation_reason")
    if not isinstance(reason, str | None):
        raise invalid({"revocation_reason": ["The revocation reason field must be a string."]})
    if record.values.get("status") == "revoked":
        _revoke_again(call, record)
    elif record.values.get("status") != "issued":
        raise invalid({"status": ["Only an issued certificate can be revoked."]})
    else:
        _change(call, record, "revoked", revocation_reason=reason)
    data = {"uuid": record.uuid, **{name: record.values.get(name) for name in _REVOKED_FIELDS}}
    return json_response(200, {"data": data})


def _revoke_again(call: Call, record: Record) -> None:
    call.marks.add("repeated_revoke")
    if call.switches.double_revoke == "422":
        raise invalid({"status": ["The certificate is already revoked."]})
    if call.switches.double_revoke == "200_new_time":
        _change(call, record, "revoked")


def _change(call: Call, record: Record, status: str, **values: object) -> None:
    changed = {**values, "status": status, f"{status}_at": stamp(call.now)}
    call.store.table("certificates").change(record, changed)
    record.updated_at = call.now
    call.note(status, record, "certificates")


def _file(call: Call, record: Record) -> Record:
    file = call.store.table("files").get(record.text("file_uuid"))
    assert file is not None
    return file


def _require_unused(call: Call, sent: JsonObject, errors: Errors) -> None:
    file = call.own("files", str(sent.get("file_uuid")))
    if file is None or file.values.get("used_at") is None:
        return
    call.marks.add("used_file")
    errors["file_uuid"] = ["The file has already been used."]
    if call.switches.file_used_status != "422" and len(errors) == 1:
        raise RefusedError(int(call.switches.file_used_status), errors=errors)


def _draft(call: Call, sent: JsonObject) -> JsonObject:
    template = sent.get("template_uuid") or _default_template(call, sent.get("institution_uuid"))
    return {
        **{name: value for name, value in sent.items() if name != "finish"},
        "template_uuid": template,
        "status": "draft",
        "issued_at": None,
        "revoked_at": None,
        "revocation_reason": None,
        "public_verification_url": None,
        "snapshot": None,
    }


def _default_template(call: Call, institution_uuid: object) -> str | None:
    templates = call.store.table("certificate_templates").find_live(
        call.tenant, "institution_uuid", institution_uuid
    )
    defaults = [
        template
        for template in templates
        if template.values.get("is_default") and template.values.get("status") == "active"
    ]
    return max(defaults, key=lambda template: template.number).uuid if defaults else None


def _start_issue(call: Call, record: Record, *, official: object) -> None:
    if call.switches.issue_seconds == 0:
        _issue(call, record, now=call.now, official=official)
        return
    due = call.now + timedelta(seconds=call.switches.issue_seconds)
    call.schedule(due, lambda now: _issue(call, record, now=now, official=official))


def _issue(call: Call, record: Record, *, now: datetime, official: object) -> None:
    """Run the platform's pipeline: freeze the student, publish, notify."""
    if record.deleted_at is not None or record.values.get("status") != "draft":
        return
    student = call.store.table("students").get(record.text("student_uuid"))
    assert student is not None
    issued = {
        "status": "issued",
        "issued_at": official or stamp(now),
        "public_verification_url": f"https://verificar.dokstamp.eu/{record.uuid[:8].upper()}",
        "snapshot": dict(student.values),
    }
    call.store.table("certificates").change(record, issued)
    record.updated_at = now
    call.note_at("issued", record, "certificates", now=now)
    call.note_at("notified", record, "certificates", now=now)
