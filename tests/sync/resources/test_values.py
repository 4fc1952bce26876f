"""Single values: what is taken, what is kept, what is refused and why."""

from decimal import Decimal

import pytest

from sync.resources.values import (
    Choice,
    Fault,
    Flag,
    Form,
    Grade,
    Opaque,
    PersonName,
    Text,
    Whole,
    id_fault,
    is_email_like,
)


@pytest.mark.parametrize(
    ("form", "given", "kept"),
    [
        (Text(), "  Ana\n", "Ana"),
        (Text(), " \t ", None),
        (Text(3), " abc ", "abc"),
        (Text(), "first\n\tsecond", "first\n\tsecond"),
        (Whole(), 0, 0),
        (Whole(), Decimal("40.0"), 40),
        (Flag(), False, False),
        (Choice(("a", "b")), "b", "b"),
        (Opaque(), "0B9D", "0B9D"),
        (Grade(), 8, "8"),
        (Grade(), 10, "10"),
        (Grade(), 0, "0"),
        (Grade(), Decimal("-0.00"), "0"),
        (Grade(), Decimal("8.750"), "8.75"),
        (Grade(), Decimal("1E+1"), "10"),
        (Grade(), "8.50", "8.5"),
        (Grade(), "10.00", "10"),
    ],
)
def test_a_good_value_is_kept_in_one_form(form: Form, given: object, kept: object) -> None:
    assert form.read(given) == kept
    assert type(form.read(given)) is type(kept)


@pytest.mark.parametrize(
    ("form", "given", "code"),
    [
        (Text(), 7, "type"),
        (Text(), ["a"], "type"),
        (Text(3), "abcd", "length"),
        (Text(), "a\x00b", "characters"),
        (Text(), "a\ud800b", "characters"),
        (Whole(), True, "type"),
        (Whole(), "40", "type"),
        (Whole(), 40.0, "type"),
        (Whole(), Decimal("4.5"), "type"),
        (Whole(), Decimal("NaN"), "type"),
        (Whole(), -1, "range"),
        (Whole(), 2**31, "range"),
        (Whole(), 10**30, "range"),
        (Whole(), Decimal("1E+999999"), "range"),
        (Flag(), 1, "type"),
        (Flag(), "true", "type"),
        (Choice(("a", "b")), "A", "choice"),
        (Choice(("a", "b")), {}, "choice"),
        (Opaque(), "  ", "type"),
        (Opaque(), 5, "type"),
        (Opaque(), " 0b9d", "characters"),
        (Grade(), True, "type"),
        (Grade(), 8.75, "type"),
        (Grade(), "8,75", "type"),
        (Grade(), " 8.75", "type"),
        (Grade(), "1e1", "type"),
        (Grade(), "٨", "type"),
        (Grade(), Decimal("Infinity"), "type"),
        (Grade(), Decimal("1E+999999"), "range"),
        (Grade(), -1, "range"),
        (Grade(), "10.01", "range"),
        (Grade(), "8.755", "decimals"),
        (Grade(), Decimal("1E-40"), "decimals"),
    ],
)
def test_a_bad_value_is_refused_by_its_reason(form: Form, given: object, code: str) -> None:
    refused = form.read(given)

    assert isinstance(refused, Fault)
    assert refused.code == code


@pytest.mark.parametrize(
    ("form", "shown", "kept"),
    [
        (Grade(), 8.75, "8.75"),
        (Grade(), "8.750", "8.75"),
        (Grade(), 8.754999, "8.75"),
        (Grade(), 9, "9"),
        (Grade(), None, None),
        (Grade(), "none", None),
        (Grade(), "1e999999", None),
        (Whole(), "40", 40),
        (Whole(), 40.0, 40),
        (Whole(), 4.5, None),
        (Flag(), 1, True),
        (Flag(), "0", False),
        (Flag(), None, None),
        (Text(), "", None),
        (Text(), 2024.1, "2024.1"),
        (Text(), {"a": 1}, None),
    ],
)
def test_what_dokstamp_shows_is_read_leniently(form: Form, shown: object, kept: object) -> None:
    assert form.recall(shown) == kept


def test_a_grade_is_sent_as_an_exact_number() -> None:
    assert Grade().send("8.75") == Decimal("8.75")
    assert isinstance(Grade().send("8.75"), Decimal)


def test_a_name_matches_however_it_is_spaced_or_capitalised() -> None:
    assert PersonName().key("Ana  de\tSOUZA") == PersonName().key("ana de souza ")
    assert PersonName().key("Jose\u0301") == PersonName().key("JOS\u00c9")
    assert PersonName().key("Ana Souza") != PersonName().key("Ana de Souza")
    assert not PersonName().same("Ana Souza", "ana souza")


@pytest.mark.parametrize("given", ["S-1", "a b", "é", "x" * 255, "@", "course@2026.1", "a@b"])
def test_an_id_may_be_any_lasting_name(given: str) -> None:
    assert id_fault(given) is None
    assert not is_email_like(given)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("", "length"),
        (" ", "length"),
        ("x" * 256, "length"),
        (" a", "blanks"),
        ("a\u00a0", "blanks"),
        ("a\nb", "characters"),
        ("a\x7f", "characters"),
        ("\udcff", "characters"),
        ("e\u0301", "normalization"),
        (7, "type"),
        (None, "type"),
    ],
)
def test_an_id_that_cannot_be_compared_byte_for_byte_is_refused(given: object, code: str) -> None:
    fault = id_fault(given)

    assert fault is not None
    assert fault.code == code


@pytest.mark.parametrize("given", ["ana@example.edu", "S:ana@example.edu", "é@exämple.edu"])
def test_an_id_that_looks_like_an_address_is_seen(given: str) -> None:
    assert is_email_like(given)
