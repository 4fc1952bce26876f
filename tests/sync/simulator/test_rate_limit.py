"""The rate limit by the minute of the clock."""

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
