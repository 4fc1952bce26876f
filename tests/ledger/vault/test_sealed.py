import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import IntegrityError, MasterKeyError
from ledger.vault.sealed import (
    FINGERPRINT_BYTES,
    KEY_BYTES,
    NONCE_BYTES,
    SALT_BYTES,
    MasterKey,
    commitment,
    fingerprint,
    keyed_digest,
    open_sealed,
    seal,
)

KEY = bytes(range(KEY_BYTES))
SALT = b"s" * SALT_BYTES
NONCE = b"n" * NONCE_BYTES
SECRET = b"m" * KEY_BYTES


def sealed(plaintext: bytes = b"payload", *, context: bytes = b"here") -> bytes:
    return seal(KEY, salt=SALT, nonce=NONCE, plaintext=plaintext, context=context)


@given(st.binary(), st.binary())
def test_what_was_sealed_opens_again(plaintext: bytes, context: bytes) -> None:
    value = sealed(plaintext, context=context)

    assert open_sealed(KEY, value, context=context) == (SALT, plaintext)


def test_a_sealed_value_is_a_format_a_nonce_and_a_body_that_shows_nothing() -> None:
    value = sealed(b"Maria")

    assert value[:13] == b"\x01" + NONCE
    assert len(value) == 1 + NONCE_BYTES + SALT_BYTES + len(b"Maria") + 16
    assert b"Maria" not in value
    assert SALT not in value


def test_any_flipped_bit_is_found() -> None:
    for bit in range(8 * len(sealed())):
        changed = bytearray(sealed())
        changed[bit // 8] ^= 1 << bit % 8

        with pytest.raises(IntegrityError):
            open_sealed(KEY, bytes(changed), context=b"here")


def test_any_shortened_value_is_refused() -> None:
    for length in range(len(sealed())):
        with pytest.raises(IntegrityError):
            open_sealed(KEY, sealed()[:length], context=b"here")


def test_another_key_or_another_context_opens_nothing() -> None:
    with pytest.raises(IntegrityError, match="restore a backup"):
        open_sealed(KEY[::-1], sealed(), context=b"here")
    with pytest.raises(IntegrityError, match="was moved"):
        open_sealed(KEY, sealed(), context=b"there")


def test_an_unknown_format_is_named_as_such() -> None:
    with pytest.raises(IntegrityError, match="unknown format"):
        open_sealed(KEY, b"\x02" + sealed()[1:], context=b"here")


def test_parts_of_a_wrong_length_are_refused_before_sealing() -> None:
    with pytest.raises(ValueError, match="salt has 32"):
        seal(KEY, salt=b"short", nonce=NONCE, plaintext=b"", context=b"")
    with pytest.raises(ValueError, match="nonce 12"):
        seal(KEY, salt=SALT, nonce=b"short", plaintext=b"", context=b"")
    with pytest.raises(ValueError, match="key has 32"):
        seal(b"short", salt=SALT, nonce=NONCE, plaintext=b"", context=b"")


def test_a_commitment_is_the_plain_hash_of_salt_and_plaintext() -> None:
    assert commitment(SALT, b"payload") == hashlib.sha256(SALT + b"payload").digest()


def test_a_master_key_derives_a_different_key_for_every_purpose() -> None:
    master = MasterKey(SECRET)

    derived = {master.wrapping, master.generations, master.secret}

    assert len(derived) == 3
    assert {len(key) for key in derived} == {KEY_BYTES}
    assert MasterKey(SECRET).generations == master.generations
    assert MasterKey(KEY).generations != master.generations


def test_derived_keys_are_hkdf_and_never_change_between_versions() -> None:
    extracted = hmac.digest(bytes(32), SECRET, "sha256")
    expected = hmac.digest(extracted, b"dokstamp-ledger wrapping 1\x01", "sha256")

    assert MasterKey(SECRET).wrapping == expected


def test_a_master_key_shows_nothing() -> None:
    assert repr(MasterKey(SECRET)) == "MasterKey()"


def test_a_fingerprint_names_a_key_and_differs_from_every_other() -> None:
    assert fingerprint(SECRET) == fingerprint(SECRET) != fingerprint(KEY)
    assert len(fingerprint(SECRET)) == FINGERPRINT_BYTES
    assert fingerprint(SECRET) not in SECRET


def test_a_master_key_of_another_length_is_refused() -> None:
    with pytest.raises(MasterKeyError, match="restore it from its backup"):
        MasterKey(b"short")


def test_a_keyed_digest_depends_on_the_key_and_on_where_parts_end() -> None:
    digests = {
        keyed_digest(KEY, b"ab", b"c"),
        keyed_digest(KEY, b"a", b"bc"),
        keyed_digest(KEY, b"abc"),
        keyed_digest(KEY, b"abc", b""),
        keyed_digest(KEY),
        keyed_digest(SECRET, b"abc"),
    }

    assert len(digests) == 6
    assert keyed_digest(KEY, b"abc") in digests
