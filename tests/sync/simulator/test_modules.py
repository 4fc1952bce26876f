"""Modules, and the groups of modules inside a course."""

from tests.sync.simulator.practice import Practice, decoded, errors


def test_a_module_shows_every_field_with_its_default() -> None:
    practice = Practice()
    module = practice.module(practice.institution(), credits=4)

    data = practice.get(f"/modules/{module}")["data"]

    assert (data["is_active"], data["is_required"], data["credits"]) == (True, False, 4)
    assert (data["modality"], data["level"], data["workload"]) == (None, None, None)


def test_a_code_is_unique_in_its_institution_only() -> None:
    practice = Practice()
    institution, other = practice.institution(), practice.institution("Second")
    practice.module(institution)
    practice.module(other)
    body = {"name": "M", "code": "M-1", "institution_uuid": institution}

    assert errors(practice.call("POST", "/modules", body)).keys() == {"code"}


def test_modules_without_a_code_do_not_collide() -> None:
    practice = Practice()
    institution = practice.institution()

    for _ in range(2):
        practice.make("/modules", name="M", institution_uuid=institution)

    assert len(practice.simulator.records("modules")) == 2


def test_a_group_lives_inside_its_course() -> None:
    practice = Practice()
    institution = practice.institution()
    course, other = practice.course(institution), practice.course(institution, "C-2")
    groups = f"/courses/{course}/modules/groups"
    group = practice.make(groups, name="Semester 1", order=1)

    changed = practice.call("PATCH", f"{groups}/{group}", {"name": "Period 1"})
    foreign = f"/courses/{other}/modules/groups/{group}"

    assert decoded(changed)["data"] == {
        "uuid": group,
        "name": "Period 1",
        "order": 1,
        "is_active": True,
        "course": {"uuid": course, "name": "C-1"},
    }
    assert [practice.call(m, foreign, {}).status for m in ("GET", "PATCH", "DELETE")] == [404] * 3
    assert len(practice.find(groups, "name", "period 1")) == 1


def test_deleting_a_group_leaves_its_attachments_without_one() -> None:
    practice = Practice()
    institution = practice.institution()
    course, module = practice.course(institution), practice.module(institution)
    groups = f"/courses/{course}/modules/groups"
    group = practice.make(groups, name="Semester 1")
    item = {"uuid": module, "course_module_group_uuid": group}
    practice.call("POST", f"/courses/{course}/attach/modules", {"modules": [item]})

    status = practice.call("DELETE", f"{groups}/{group}").status

    assert status == 204
    assert practice.simulator.records("attachments")[0]["course_module_group_uuid"] is None


def test_groups_have_no_batch_destroy() -> None:
    practice = Practice()
    course = practice.course(practice.institution())

    path = f"/courses/{course}/modules/groups/batch/destroy"

    assert practice.call("DELETE", path, {"uuids": []}).status == 404
