import pytest

from sync.runtime.settle_window import check_settle_window, is_practice

REAL = "https://api.dokstamp.com"


def test_a_window_shorter_than_a_request_may_take_is_refused_with_both_ways_out() -> None:
    with pytest.raises(ValueError, match="REQUEST_TIMEOUT_SECONDS") as raised:
        check_settle_window(5.5, request_timeout_seconds=30, base_url=REAL)

    assert str(raised.value) == (
        "must be at least REQUEST_TIMEOUT_SECONDS (30), because a request may take effect for as "
        "long as its answer is waited for; set SETTLE_SECONDS to 30 or more, or lower "
        "REQUEST_TIMEOUT_SECONDS to 5.5 or less"
    )


def test_a_window_as_long_as_a_request_may_take_will_do() -> None:
    check_settle_window(30, request_timeout_seconds=30, base_url=REAL)


def test_a_practice_service_may_be_hurried() -> None:
    check_settle_window(0.1, request_timeout_seconds=30, base_url="http://127.0.0.1:8080")


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:8080",
        "http://[::1]:8080/api",
        "http://LOCALHOST",
        "https://dokstamp.localhost",
        "https://dokstamp.test",
    ],
)
def test_only_this_machine_or_a_test_can_have_such_an_address(address: str) -> None:
    assert is_practice(address)


@pytest.mark.parametrize(
    "address",
    [
        REAL,
        "https://10.0.0.7",
        "https://localhost.example.edu",
        "https://127.0.0.1.example.edu",
        "https://test.dokstamp.com",
        "https://[half",
        "https://",
    ],
)
def test_every_other_address_may_be_a_real_one(address: str) -> None:
    assert not is_practice(address)
