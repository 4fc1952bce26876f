"""E-mail and web addresses."""

import pytest

from sync.resources.addresses import Email, Website
from sync.resources.values import Fault


@pytest.mark.parametrize(
    "given", ["a@example.edu", "Ana.Silva+x@Mail.Example.EDU", "o'neil@x-y.example.edu", "é@ü.edu"]
)
def test_an_email_is_kept_as_the_source_has_it_but_trimmed(given: str) -> None:
    assert Email().read(f" {given} ") == given


@pytest.mark.parametrize(
    "given",
    [
        "",
        "ana",
        "ana@",
        "@example.edu",
        "ana@localhost",
        "a b@example.edu",
        "ana@exam ple.edu",
        ".ana@example.edu",
        "a..b@example.edu",
        "ana@example..edu",
        "ana@-example.edu",
        "a@b@example.edu",
        "ana@example.edu, bob@example.edu",
        "a" * 65 + "@example.edu",
        "a@" + "b." * 150 + "edu",
        7,
    ],
)
def test_what_cannot_be_an_email_is_refused_without_repeating_it(given: object) -> None:
    refused = Email().read(given)

    assert isinstance(refused, Fault)
    assert refused.message.endswith("such as name@example.edu") or refused.code == "type"


def test_emails_are_one_whatever_their_letter_case() -> None:
    assert Email().same("Ana@Example.edu", "ana@example.EDU ")
    assert Email().key(" Ana@Example.edu") == "ana@example.edu"
    assert not Email().same("ana@example.edu", "ana@example.org")


@pytest.mark.parametrize(
    "given", ["https://example.edu", "http://www.example.edu:8080/a?b=c#d", "https://10.0.0.1/"]
)
def test_a_website_is_a_complete_address(given: str) -> None:
    assert Website().read(given) == given


@pytest.mark.parametrize(
    "given",
    [
        "www.example.edu",
        "ftp://example.edu",
        "https://",
        "https://exa mple.edu",
        "https://example.edu:port/",
        "https://example.edu:0/",
        "https://[::1",
        "javascript:alert(1)",
        "",
        5,
    ],
)
def test_what_is_no_complete_address_is_refused(given: object) -> None:
    assert isinstance(Website().read(given), Fault)
