"""Every switch exists, is reachable in every position, and each position is different."""

import re
from pathlib import Path

import pytest

from sync.errors import InputError
from sync.simulator import Switches, alternatives, parse_switches
from tests.sync.simulator import switch_probes as probes
from tests.sync.simulator.practice import Practice
from tests.sync.simulator.switch_probes import Probe

CONTRACT = Path(__file__).parents[3] / ".." / "shared" / "dokstamp-api.md"

# What each position, in the order of `alternatives()`, has to show to its probe.
EXPECTED: dict[str, tuple[Probe, tuple[object, ...]]] = {
    "missing_tenant": (probes.missing_tenant, ((401, 401), (404, 404), (401, 404))),
    "missing_accept": (probes.missing_accept, (302, 200)),
    "meta_style": (
        probes.meta_style,
        (
            (["data", "meta"], ["current_page", "per_page", "total"]),
            (
                ["data", "links", "meta"],
                [
                    "current_page",
                    "from",
                    "last_page",
                    "links",
                    "path",
                    "per_page",
                    "to",
                    "total",
                ],
            ),
        ),
    ),
    "per_page_max": (probes.per_page_max, ((200, 100), (200, 15), (422, None))),
    "page_param": (probes.page_param, ((1, 2), (2, 1))),
    "nested_lists": (probes.nested_lists, ((15, True), (20, False))),
    "unknown_filter": (probes.unknown_filter, (200, 422, 500)),
    "filter_case": (probes.filter_case, (1, 0)),
    "default_order": (probes.default_order, (True, False)),
    "delete_with_dependants": (probes.delete_with_dependants, (500, 409, 422, 204)),
    "unique_counts_deleted": (probes.unique_counts_deleted, (422, 201)),
    "get_deleted": (probes.get_deleted, ((404, False), (200, True))),
    "course_code_unique": (probes.course_code_unique, ((201, 201), (422, 201), (422, 422))),
    "cohort_code_scope": (probes.cohort_code_scope, ([201, 422], [201, 201])),
    "enrollment_unique": (probes.enrollment_unique, ([201, 201], [422, 422], [422, 201])),
    "certificate_unique": (probes.certificate_unique, (201, 422)),
    "attach_batch": (probes.attach_batch, ((422, 1), (422, 2), (200, 2))),
    "attach_status": (probes.attach_status, (200, 201, 204)),
    "write_status": (probes.write_status, ((201, 204), (200, 200))),
    "attachable_hides_inactive": (probes.attachable_hides_inactive, (1, 0)),
    "issue_async_s": (
        probes.issue_async_s,
        ([("issued", False), ("issued", False)], [("draft", True), ("issued", False)]),
    ),
    "issue_fields": (
        probes.issue_fields,
        (
            ["issued", "issued"],
            ["issued", "draft"],
            ["draft", "issued"],
            ["issued", 422],
            [422, "issued"],
        ),
    ),
    "file_used_status": (probes.file_used_status, (422, 409, 400)),
    "dedup_scope": (probes.dedup_scope, (True, False)),
    "dedup_of_deleted": (probes.dedup_of_deleted, (True, False)),
    "double_revoke": (probes.double_revoke, ((422, False), (200, True), (200, False))),
    "grade_max": (probes.grade_max, (422, 201)),
    "reference_consistency": (probes.reference_consistency, (201, 422)),
    "grade_type": (probes.grade_type, (8.75, "8.75")),
    "me_for_service_token": (probes.me_for_service_token, (401, 200)),
    "rate_limit": (probes.rate_limit, ((200, False), (429, True), (429, False))),
    "fault_injection": (
        probes.fault_injection,
        ((201, 1, 0.0), (500, 0, 0.0), (500, 1, 0.0), (0, 1, 0.0), (201, 1, 1.0)),
    ),
    "patch_put": (probes.patch_put, (("Law", "active"), (None, "draft"))),
    "edition": (
        probes.edition,
        (
            (400, 404, ["message", "success"], ["message", "success"]),
            (404, 422, ["data"], ["message"]),
            (400, 422, ["message", "success"], ["message", "success"]),
        ),
    ),
}
CASES = [
    pytest.param(name, position, expected, id=f"{name}={position}")
    for name, (_, answers) in EXPECTED.items()
    for position, expected in zip(alternatives()[name], answers, strict=True)
]


def test_every_switch_has_a_probe() -> None:
    assert EXPECTED.keys() == alternatives().keys()


@pytest.mark.parametrize(("name", "position", "expected"), CASES)
def test_every_position_shows(name: str, position: str, expected: object) -> None:
    practice = Practice(**{name: position})

    seen = EXPECTED[name][0](practice)

    assert seen == expected


@pytest.mark.parametrize("name", EXPECTED)
def test_no_two_positions_look_alike(name: str) -> None:
    answers = [repr(answer) for answer in EXPECTED[name][1]]

    assert len(set(answers)) == len(answers)


def test_the_switches_are_those_of_the_contract() -> None:
    if not CONTRACT.exists():
        pytest.skip("the contract is not beside this checkout")
    section = CONTRACT.read_text().split("## 16. ")[1].split("### 16.1")[0]
    named = set(re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE))

    assert named == alternatives().keys()


def test_texts_are_parsed() -> None:
    switches = parse_switches(["edition=old", " grade_max = none", "issue_async_s=2.5"])

    assert (switches.edition, switches.grade_max) == ("old", "none")
    assert switches.issue_seconds == 2.5


@pytest.mark.parametrize(
    "text",
    [
        "edition=newest",
        "colour=red",
        "edition",
        "rate_limit=0",
        "rate_limit=many",
        "issue_async_s=-1",
        "fault_injection=explosion:nth=1",
        "fault_injection=cut_after:nth=x",
    ],
)
def test_a_wrong_text_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(InputError, match=r"switch|Switch|fault|kind|whole"):
        parse_switches([text])


def test_numbers_are_free() -> None:
    switches = Switches(rate_limit="7_silent", issue_async_s="0.5")

    assert (switches.requests_per_minute, switches.issue_seconds) == (7, 0.5)
