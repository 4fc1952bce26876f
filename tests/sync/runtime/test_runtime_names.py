import pytest

from sync import runtime


def test_a_misspelt_name_is_seen_by_who_checks_types_and_by_who_imports() -> None:
    # Where a checker would let the name pass, it reports the remark on it as needless.
    with pytest.raises(AttributeError, match="Runtmie"):
        runtime.Runtmie  # type: ignore[attr-defined] # noqa: B018
