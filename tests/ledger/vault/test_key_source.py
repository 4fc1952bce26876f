import base64

import pytest

from ledger.errors import MasterKeyError
from ledger.vault.key_source import FROM_FILE, KeySource, key_of
from ledger.vault.sealed import MasterKey

SECRET = bytes(range(32))


def test_a_key_is_read_from_base64() -> None:
    text = base64.b64encode(SECRET).decode()

    assert key_of(f" {text}\n") == MasterKey(SECRET)


@pytest.mark.parametrize("text", ["", "short", "ключ", base64.b64encode(SECRET[:-1]).decode()])
def test_what_is_no_key_is_refused_with_how_to_make_one(text: str) -> None:
    with pytest.raises(MasterKeyError, match="openssl rand") as refusal:
        key_of(text)

    assert not text or text not in str(refusal.value)


def test_only_the_default_keeps_the_key_in_a_file() -> None:
    assert FROM_FILE.is_file
    assert not KeySource(MasterKey(SECRET)).is_file
    assert not KeySource(ask=lambda: SECRET).is_file


def test_a_key_comes_one_way() -> None:
    with pytest.raises(MasterKeyError, match="one way"):
        KeySource(MasterKey(SECRET), ask=lambda: SECRET)


def test_a_source_shows_no_key() -> None:
    assert str(SECRET) not in repr(KeySource(MasterKey(SECRET), MasterKey(SECRET)))
