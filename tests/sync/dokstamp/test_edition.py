import pytest

from sync.dokstamp.edition import BY_AUTH_MODE, NEWER, OLDER, AuthMode


@pytest.mark.parametrize("mode", list(AuthMode))
def test_every_way_in_has_an_edition(mode: AuthMode) -> None:
    assert BY_AUTH_MODE[mode].auth_mode is mode


def test_only_the_older_edition_refreshes() -> None:
    assert (NEWER.refresh_path, OLDER.refresh_path) == (None, "/auth/refresh")
