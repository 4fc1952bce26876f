"""Portfolio pages and items."""

import pytest

from sync.simulator import FOREIGN_TENANT
from tests.sync.simulator.practice import Practice, decoded, errors


def _page(practice: Practice, student: str, slug: str = "one") -> str:
    return practice.make(f"/students/{student}/pages", slug=slug)


def test_a_page_is_private_and_shows_its_items() -> None:
    practice = Practice()
    fields = practice.graduate()
    certificate = practice.make("/certificates", **fields, finish=True)
    student = str(fields["student_uuid"])
    page = _page(practice, student)
    items = f"/students/{student}/pages/{page}/items"

    item = practice.make(items, certificate_uuid=certificate, sort_order=1)
    hidden = practice.call("PATCH", f"{items}/{item}", {"is_visible": False})

    shown = practice.get(f"/students/{student}/pages")["data"][0]
    assert (shown["is_public"], shown["items"][0]["certificate"]["uuid"]) == (False, certificate)
    assert decoded(hidden)["data"]["is_visible"] is False
    assert practice.get(items)["meta"]["total"] == 1


def test_a_page_can_be_made_private_again() -> None:
    practice = Practice()
    student = practice.student()
    path = f"/students/{student}/pages/{_page(practice, student)}"

    for is_public in (True, False):
        response = practice.call("PATCH", path, {"is_public": is_public})

        assert decoded(response)["data"]["is_public"] is is_public


def test_a_slug_is_taken_for_every_tenant() -> None:
    practice = Practice()
    _page(practice, practice.student())
    practice.speak_as(FOREIGN_TENANT)
    student = practice.student()

    response = practice.call("POST", f"/students/{student}/pages", {"slug": "one"})

    assert errors(response).keys() == {"slug"}


@pytest.mark.parametrize("slug", ["Upper", "a b", "-a", "ä", None])
def test_a_slug_has_small_letters_digits_and_hyphens(slug: object) -> None:
    practice = Practice()

    response = practice.call("POST", f"/students/{practice.student()}/pages", {"slug": slug})

    assert errors(response).keys() == {"slug"}


def test_a_page_belongs_to_its_student_and_an_item_to_its_page() -> None:
    practice = Practice()
    fields = practice.graduate()
    certificate = practice.make("/certificates", **fields)
    student, other = str(fields["student_uuid"]), practice.student("two@example.org")
    first, second = _page(practice, student), _page(practice, student, "two")
    items = f"/students/{student}/pages/{first}/items"
    item = practice.make(items, certificate_uuid=certificate)

    strange_page = practice.call("PATCH", f"/students/{other}/pages/{first}", {})
    strange_item = practice.call("PATCH", f"/students/{student}/pages/{second}/items/{item}", {})

    assert (strange_page.status, strange_item.status) == (404, 404)
