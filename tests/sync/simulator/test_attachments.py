"""The attachable list, attaching with objects, detaching with plain texts."""

import pytest

from sync.simulator import FOREIGN_TENANT
from tests.sync.simulator.practice import Practice, errors


class Curriculum:
    def __init__(self, codes: str = "ab", **switches: str) -> None:
        self.practice = Practice(**switches)
        self.institution = self.practice.institution()
        self.course = self.practice.course(self.institution)
        self.modules = [self.practice.module(self.institution, code) for code in codes]

    def attach(self, *modules: object) -> object:
        path = f"/courses/{self.course}/attach/modules"
        return self.practice.call("POST", path, {"modules": list(modules)})

    def refused(self, *modules: object) -> set[str]:
        path = f"/courses/{self.course}/attach/modules"
        return set(errors(self.practice.call("POST", path, {"modules": list(modules)})))

    def detach(self, *modules: object) -> int:
        path = f"/courses/{self.course}/detach/modules"
        return self.practice.call("DELETE", path, {"modules": list(modules)}).status

    def attachable(self) -> list[str]:
        rows = self.practice.get(f"/courses/{self.course}/attach/modules")["data"]
        return [row["uuid"] for row in rows]


def test_the_attachable_list_holds_what_is_not_attached() -> None:
    curriculum = Curriculum()
    foreign = curriculum.practice.institution("Second")
    curriculum.practice.module(foreign, "z")

    before = curriculum.attachable()
    curriculum.attach({"uuid": curriculum.modules[0]})
    after = curriculum.attachable()

    assert (before, after) == (curriculum.modules, curriculum.modules[1:])


def test_detaching_makes_a_module_attachable_again() -> None:
    curriculum = Curriculum()
    first = curriculum.modules[0]
    curriculum.attach({"uuid": first})

    status = curriculum.detach(first)

    assert status == 204
    assert first in curriculum.attachable()
    actions = [write.action for write in curriculum.practice.simulator.journal.writes]
    assert actions[-2:] == ["attached", "detached"]


def test_an_attachment_takes_its_own_values_or_the_modules() -> None:
    curriculum = Curriculum("")
    practice = curriculum.practice
    module = practice.module(curriculum.institution, "m", workload=40, is_required=True)
    other = practice.module(curriculum.institution, "n", workload=40)
    group = practice.make(f"/courses/{curriculum.course}/modules/groups", name="Semester 1")

    curriculum.attach(
        {"uuid": module, "order": 1},
        {"uuid": other, "workload": 60, "is_required": True, "course_module_group_uuid": group},
    )

    rows = practice.simulator.records("attachments")
    assert [(row["order"], row["is_required"], row["workload"]) for row in rows] == [
        (1, True, 40),
        (None, True, 60),
    ]
    assert rows[1]["course_module_group_uuid"] == group


def test_a_module_can_be_attached_to_several_courses() -> None:
    curriculum = Curriculum("a")
    curriculum.attach({"uuid": curriculum.modules[0]})
    curriculum.course = curriculum.practice.course(curriculum.institution, "C-2")

    curriculum.attach({"uuid": curriculum.modules[0]})

    assert len(curriculum.practice.simulator.records("attachments")) == 2


def test_attaching_again_is_refused_and_counted() -> None:
    curriculum = Curriculum()
    curriculum.attach({"uuid": curriculum.modules[0]})

    refused = curriculum.refused({"uuid": curriculum.modules[1]}, {"uuid": curriculum.modules[0]})

    assert refused == {"modules.1.uuid"}
    assert curriculum.practice.simulator.verdict().repeated_attachments == 1


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ("text", "modules.0"),
        ({}, "modules.0.uuid"),
        ({"uuid": 3}, "modules.0.uuid"),
        ({"uuid": "3f2b8c1e-5a4d-4e6f-8a9b-0c1d2e3f4a5b"}, "modules.0.uuid"),
    ],
)
def test_a_wrong_item_is_refused(item: object, field: str) -> None:
    assert Curriculum().refused(item) == {field}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"order": "1"}, "order"),
        ({"workload": -1}, "workload"),
        ({"is_required": 1}, "is_required"),
        ({"course_module_group_uuid": 5}, "course_module_group_uuid"),
    ],
)
def test_a_wrong_value_of_an_item_is_refused(values: dict[str, object], field: str) -> None:
    curriculum = Curriculum()

    assert curriculum.refused({"uuid": curriculum.modules[0], **values}) == {f"modules.0.{field}"}


def test_an_empty_or_repeated_list_is_refused() -> None:
    curriculum = Curriculum()
    item = {"uuid": curriculum.modules[0]}

    assert curriculum.refused() == {"modules"}
    assert curriculum.refused(item, item) == {"modules"}


def test_a_module_of_another_institution_is_refused() -> None:
    curriculum = Curriculum()
    foreign = curriculum.practice.institution("Second")

    assert curriculum.refused({"uuid": curriculum.practice.module(foreign, "z")}) == {
        "modules.0.uuid"
    }


def test_a_group_of_another_course_is_refused() -> None:
    curriculum = Curriculum()
    practice = curriculum.practice
    other = practice.course(curriculum.institution, "C-2")
    group = practice.make(f"/courses/{other}/modules/groups", name="G")
    item = {"uuid": curriculum.modules[0], "course_module_group_uuid": group}

    assert curriculum.refused(item) == {"modules.0.course_module_group_uuid"}


def test_detaching_wants_plain_texts_and_passes_over_what_is_not_attached() -> None:
    curriculum = Curriculum()

    assert curriculum.detach({"uuid": curriculum.modules[0]}) == 422
    assert curriculum.detach() == 422
    assert curriculum.detach(*curriculum.modules) == 204


def test_a_deleted_body_detaches_nothing() -> None:
    curriculum = Curriculum()
    curriculum.attach({"uuid": curriculum.modules[0]})

    response = curriculum.practice.call("DELETE", f"/courses/{curriculum.course}/detach/modules")

    assert errors(response).keys() == {"modules"}


def test_another_tenants_course_is_not_found() -> None:
    curriculum = Curriculum()
    curriculum.practice.speak_as(FOREIGN_TENANT)
    path = f"/courses/{curriculum.course}/attach/modules"

    assert curriculum.practice.call("GET", path).status == 404
    assert curriculum.practice.call("POST", path, {"modules": []}).status == 404
