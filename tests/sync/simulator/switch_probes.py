"""Small stories, one for each switch, whose outcome depends on its position."""

from collections.abc import Callable

from tests.sync.simulator.practice import PDF, Practice, decoded

Probe = Callable[[Practice], object]


def edition(practice: Practice) -> object:
    me = practice.call("GET", "/auth/me")
    return (
        practice.form("/oauth/token").status,
        practice.send("POST", "/auth/login").status,
        sorted(decoded(me)),
        sorted(decoded(practice.call("GET", "/nowhere"))),
    )


def missing_tenant(practice: Practice) -> object:
    headers = practice.headers()
    del headers["X-Tenant"]
    one = practice.send("GET", f"/courses/{'0' * 8}", headers=headers)
    return practice.send("GET", "/courses", headers=headers).status, one.status


def missing_accept(practice: Practice) -> object:
    headers = practice.headers() | {"Accept": "*/*"}
    return practice.send("GET", "/courses", headers=headers).status


def _many_courses(practice: Practice, count: int) -> None:
    institution = practice.institution()
    for number in range(count):
        practice.course(institution, f"C-{number}")


def meta_style(practice: Practice) -> object:
    body = practice.get("/courses")
    return sorted(body), sorted(body["meta"])


def per_page_max(practice: Practice) -> object:
    response = practice.call("GET", "/courses", query=(("per_page", "500"),))
    return response.status, decoded(response).get("meta", {}).get("per_page")


def page_param(practice: Practice) -> object:
    _many_courses(practice, 3)
    body = practice.get("/courses", per_page="2", page="2")
    return len(body["data"]), body["meta"]["current_page"]


def nested_lists(practice: Practice) -> object:
    course = practice.course(practice.institution())
    for number in range(20):
        practice.make(f"/courses/{course}/modules/groups", name=f"G-{number}")
    body = practice.get(f"/courses/{course}/modules/groups")
    return len(body["data"]), "meta" in body


def unknown_filter(practice: Practice) -> object:
    practice.student()
    return practice.call("GET", "/students", query=(("where[colour]", "red"),)).status


def filter_case(practice: Practice) -> object:
    practice.student("Mixed@example.org")
    return len(practice.find("/students", "email", "mixed@EXAMPLE.org"))


def default_order(practice: Practice) -> object:
    _many_courses(practice, 12)
    first, second = (practice.get("/courses")["data"] for _ in range(2))
    return [row["code"] for row in first] == [row["code"] for row in second]


def delete_with_dependants(practice: Practice) -> object:
    institution = practice.institution()
    practice.module(institution)
    return practice.call("DELETE", f"/institutions/{institution}").status


def unique_counts_deleted(practice: Practice) -> object:
    practice.call("DELETE", f"/students/{practice.student()}")
    body = {"name": "Two", "email": "one@example.org", "date_of_birth": "2001-01-01"}
    return practice.call("POST", "/students", body).status


def get_deleted(practice: Practice) -> object:
    student = practice.student()
    practice.call("DELETE", f"/students/{student}")
    response = practice.call("GET", f"/students/{student}")
    return response.status, "deleted_at" in decoded(response).get("data", {})


def course_code_unique(practice: Practice) -> object:
    first, second = practice.institution(), practice.institution("Second")
    practice.course(first)
    body: dict[str, object] = {"name": "Again", "code": "c-1"}
    return tuple(
        practice.call("POST", "/courses", {**body, "institution_uuid": uuid}).status
        for uuid in (first, second)
    )


def cohort_code_scope(practice: Practice) -> object:
    institution = practice.institution()
    bodies = [
        {"course_uuid": practice.course(institution, code), "code": "2026-A"}
        for code in ("C-1", "C-2")
    ]
    return [practice.call("POST", "/cohorts", body).status for body in bodies]


def enrollment_unique(practice: Practice) -> object:
    course = practice.course(practice.institution())
    cohort = practice.make("/cohorts", course_uuid=course, code="2026-A")
    student = practice.student()
    practice.enrollment(student, course)
    body = {"student_uuid": student, "course_uuid": course, "enrolled_at": "2026-02-01"}
    bodies = (body, {**body, "cohort_uuid": cohort})
    return [practice.call("POST", "/enrollments", one).status for one in bodies]


def certificate_unique(practice: Practice) -> object:
    fields = practice.graduate()
    practice.make("/certificates", **fields)
    other = {**fields, "file_uuid": practice.file(PDF + b"2")}
    return practice.call("POST", "/certificates", other).status


def _attached(practice: Practice, codes: str) -> tuple[str, list[str]]:
    institution = practice.institution()
    course = practice.course(institution)
    return course, [practice.module(institution, code) for code in codes]


def attach_batch(practice: Practice) -> object:
    course, (old, new) = _attached(practice, "ab")
    path = f"/courses/{course}/attach/modules"
    practice.call("POST", path, {"modules": [{"uuid": old}]})
    status = practice.call("POST", path, {"modules": [{"uuid": old}, {"uuid": new}]}).status
    return status, len(practice.simulator.records("attachments"))


def attach_status(practice: Practice) -> object:
    course, (module,) = _attached(practice, "a")
    path = f"/courses/{course}/attach/modules"
    return practice.call("POST", path, {"modules": [{"uuid": module}]}).status


def write_status(practice: Practice) -> object:
    course, (module,) = _attached(practice, "a")
    path = f"/courses/{course}/detach/modules"
    created = practice.call("POST", "/institutions", {"name": "Second", "country": "Brazil"})
    return created.status, practice.call("DELETE", path, {"modules": [module]}).status


def attachable_hides_inactive(practice: Practice) -> object:
    institution = practice.institution()
    practice.module(institution, is_active=False)
    course = practice.course(institution)
    return len(practice.get(f"/courses/{course}/attach/modules")["data"])


def issue_async_s(practice: Practice) -> object:
    uuid = practice.certificate()
    before = practice.get(f"/certificates/{uuid}")["data"]
    practice.wait(2)
    after = practice.get(f"/certificates/{uuid}")["data"]
    return [(row["status"], row["public_verification_url"] is None) for row in (before, after)]


def issue_fields(practice: Practice) -> object:
    fields = practice.graduate()
    answers = []
    styles: tuple[dict[str, object], ...] = ({"finish": True}, {"status": "issued"})
    for number, style in enumerate(styles):
        file = practice.file(PDF + bytes([number]))
        response = practice.call("POST", "/certificates", {**fields, **style, "file_uuid": file})
        answers.append(decoded(response).get("data", {}).get("status", response.status))
    return answers


def file_used_status(practice: Practice) -> object:
    fields = practice.graduate()
    practice.make("/certificates", **fields)
    return practice.call("POST", "/certificates", fields).status


def dedup_scope(practice: Practice) -> object:
    return practice.file() == practice.file()


def dedup_of_deleted(practice: Practice) -> object:
    first = practice.file()
    practice.call("DELETE", f"/files/{first}")
    return practice.file() == first


def double_revoke(practice: Practice) -> object:
    path = f"/certificates/{practice.certificate()}/revoke"
    first = decoded(practice.call("PUT", path))["data"]["revoked_at"]
    practice.wait(60)
    second = practice.call("PUT", path)
    return second.status, decoded(second).get("data", {}).get("revoked_at") == first


def grade_max(practice: Practice) -> object:
    body = {
        "student_uuid": practice.student(),
        "course_uuid": practice.course(practice.institution()),
        "enrolled_at": "2026-02-01",
        "grade": 87.5,
    }
    return practice.call("POST", "/enrollments", body).status


def reference_consistency(practice: Practice) -> object:
    fields = practice.graduate()
    other = practice.institution("Second")
    return practice.call("POST", "/certificates", {**fields, "institution_uuid": other}).status


def grade_type(practice: Practice) -> object:
    course = practice.course(practice.institution())
    enrollment = practice.enrollment(practice.student(), course, grade=8.75)
    return practice.get(f"/enrollments/{enrollment}")["data"]["grade"]


def me_for_service_token(practice: Practice) -> object:
    return practice.call("GET", "/auth/me").status


def rate_limit(practice: Practice) -> object:
    for _ in range(60):
        practice.call("GET", "/courses")
    response = practice.call("GET", "/courses")
    return response.status, "Retry-After" in response.headers


def fault_injection(practice: Practice) -> object:
    body = {"name": "University", "country": "Brazil"}
    response = practice.call("POST", "/institutions", body)
    made = len(practice.simulator.records("institutions"))
    return response.status, made, response.stall_seconds


def patch_put(practice: Practice) -> object:
    course = practice.course(practice.institution(), area="Law", status="active")
    row = practice.get(f"/courses/{course}")["data"]
    body = {"name": "New", "institution_uuid": row["institution"]["uuid"]}
    data = decoded(practice.call("PUT", f"/courses/{course}", body))["data"]
    return data["area"], data["status"]
