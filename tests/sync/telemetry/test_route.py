import pytest

from sync.telemetry.route import template

UUID = "baf3897a-3e70-416a-9548-5822de1b372a"
LETTERS = "abcdefab-abcd-abcd-abcd-abcdefabcdef"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/students", "/students"),
        ("/oauth/token", "/oauth/token"),
        (f"/students/{UUID}", "/students/{uuid}"),
        (f"/students/{UUID.upper()}", "/students/{uuid}"),
        (f"/courses/{UUID}/modules/{LETTERS}", "/courses/{uuid}/modules/{uuid}"),
        ("/module-groups/17", "/module-groups/{uuid}"),
        ("/files/{file}", "/files/{file}"),
        ("/courses/not%20a%20uuid", "/courses/{uuid}"),
        ("", ""),
    ],
)
def test_a_template_is_the_same_for_every_record(path: str, expected: str) -> None:
    assert template(path) == template(template(path)) == expected
