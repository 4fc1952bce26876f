import pytest

from ledger.subjects.name import first_of, following, name_of, number_of


@pytest.mark.parametrize(
    "source_id", ["S-1001", "S~2", "S~", "~", "~~2", "a~b~3", "S-1001~2~", "línea ~4"]
)
def test_names_follow_one_another_and_lead_back_to_the_first(source_id: str) -> None:
    first = name_of("student", source_id)
    second = following(first)
    third = following(second)

    assert [number_of(name) for name in (first, second, third)] == [1, 2, 3]
    assert {first_of(name) for name in (first, second, third)} == {first}
    assert len({first, second, third}) == 3


def test_the_second_name_of_one_is_nobody_elses_first() -> None:
    assert following(name_of("student", "S")) == "student:S~2"
    assert name_of("student", "S~2") == "student:S~~2"
