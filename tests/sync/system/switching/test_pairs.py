from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sync.system.switching.pairs import all_pairs, covering, pairs_in

CHOICES = st.dictionaries(
    st.sampled_from("abcdef"),
    st.lists(st.sampled_from("1234"), min_size=1, unique=True),
    min_size=2,
)


@given(CHOICES, st.integers(0, 5))
def test_every_pair_of_positions_is_in_some_row(choices: dict[str, list[str]], seed: int) -> None:
    rows = covering(choices, seed=seed)
    tried = set().union(*map(pairs_in, rows))

    assert tried == set().union(*map(pairs_in, all_pairs(choices)))
    assert all(list(row) == list(choices) for row in rows)


@given(CHOICES)
def test_all_pairs_are_every_two_positions_of_two_switches(choices: dict[str, list[str]]) -> None:
    pairs = list(all_pairs(choices))

    expected = sum(len(one) * len(other) for one, other in combinations(choices.values(), 2))
    assert len(pairs) == expected
    assert all(len(row) == 2 for row in pairs)


@pytest.mark.parametrize("size", [2, 3, 4])
def test_rows_are_few(size: int) -> None:
    choices = {name: [str(number) for number in range(size)] for name in "abcdefgh"}

    assert len(covering(choices)) <= 2 * size * size


def test_the_same_seed_gives_the_same_rows() -> None:
    choices = {name: ["x", "y", "z"] for name in "abcd"}

    assert covering(choices, seed=3) == covering(choices, seed=3)
