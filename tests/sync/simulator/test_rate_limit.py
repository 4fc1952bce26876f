"""The rate limit by the minute of the clock."""

from collections.abc import Mapping

from tests.sync.simulator.practice import Practice


def test_the_limit_counts_anew_each_minute_and_says_how_long_to_wait() -> None:
    practice = Practice(rate_limit="2")
    practice.wait(45)

    statuses = [practice.call("GET", "/courses").status for _ in range(2)]
    refused = practice.call("GET", "/courses")
    practice.wait(15)
    after = practice.call("GET", "/courses")

    assert (statuses, refused.status, after.status) == ([200, 200], 429, 200)
    assert refused.headers["Retry-After"] == "15"


def test_a_write_over_the_limit_has_no_effect_and_is_no_misuse_to_repeat() -> None:
    practice = Practice(rate_limit="1_silent")
    practice.call("GET", "/courses")
    body = {"name": "University", "country": "Brazil"}

    refused = practice.call("POST", "/institutions", body)
    practice.wait(60)
    made = practice.call("POST", "/institutions", body)

    assert (refused.status, "Retry-After" in refused.headers, made.status) == (429, False, 201)
    assert practice.simulator.verdict().is_clean


def test_a_limit_that_is_told_is_told_with_every_answer_that_counts() -> None:
    practice = Practice(rate_limit="2_told")

    found = practice.call("GET", "/courses")
    missing = practice.call("GET", "/courses/no-such-course")
    refused = practice.call("GET", "/courses")

    assert [_told(each.headers) for each in (found, missing, refused)] == [
        ("2", "1", None),
        ("2", "0", None),
        ("2", "0", "60"),
    ]
    assert (found.status, missing.status // 100, refused.status) == (200, 4, 429)
    assert _told(practice.log_in().headers) == (None, None, None)


def test_a_limit_may_be_told_only_by_headers() -> None:
    practice = Practice(rate_limit="1_told_silent")
    practice.call("GET", "/courses")

    assert _told(practice.call("GET", "/courses").headers) == ("1", "0", None)


def test_a_limit_is_not_told_unless_that_is_switched_on() -> None:
    assert _told(Practice(rate_limit="2").call("GET", "/courses").headers) == (None, None, None)


def _told(headers: Mapping[str, str]) -> tuple[str | None, str | None, str | None]:
    names = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "Retry-After")
    limit, remaining, wait = (headers.get(name) for name in names)
    return limit, remaining, wait
