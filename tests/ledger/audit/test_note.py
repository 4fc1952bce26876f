"""Notes as C2SP describes them, against the vectors that other implementations publish.

PeterNeumann's key and note are those of the tests of golang.org/x/mod/sumdb/note (note_test.go);
quasimodo's note is the example of C2SP's signed-note.md.
"""

import base64

import pytest

from ledger.audit.note import SignerKey, VerifierKey, open_note, parse_note
from ledger.errors import IntegrityError

PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
SIGNED = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6"
    "KE6RyyBwJnAM=\n"
)
NOTE = f"{TEXT}\n{SIGNED}"
OTHER = SignerKey("witness.example/w1", bytes(range(32)))
EXAMPLE = (
    "Ognuno sta solo sul cuor della terra\n"
    "trafitto da un raggio di sole:\n"
    "\n"
    "ed è subito sera.\n"
    "\n"
    "— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU"
    "0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
)


def test_the_published_key_is_read_and_written_alike() -> None:
    key = VerifierKey.decode(PETER)

    assert (key.name, key.hash.hex()) == ("PeterNeumann", "c74f20a3")
    assert key.encode() == PETER


def test_the_published_note_verifies() -> None:
    assert open_note(NOTE, VerifierKey.decode(PETER)) == TEXT


def test_signing_makes_the_published_note() -> None:
    key = SignerKey("PeterNeumann", PETERS_SEED)

    assert key.verifier.encode() == PETER
    assert key.sign(TEXT) == NOTE


def test_the_text_ends_at_the_last_empty_line() -> None:
    text, signatures = parse_note(EXAMPLE)

    assert text.endswith("\n\ned è subito sera.\n")
    assert [(each.name, each.key_hash.hex()) for each in signatures] == [
        ("quasimodo.example/salvatore", "367ba04b")
    ]


def test_every_mangled_key_is_refused() -> None:
    parts = {
        PETER[begin:end] for begin in range(len(PETER)) for end in range(begin, len(PETER) + 1)
    }
    shifted = {PETER[:at] + chr(ord(PETER[at]) + 1) + PETER[at + 1 :] for at in range(len(PETER))}
    # Of another length, and of another algorithm, each with a hash that fits.
    foreign = {
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    }
    for text in (parts - {PETER}) | shifted | foreign:
        with pytest.raises(IntegrityError):
            VerifierKey.decode(text)


def test_signatures_of_unknown_keys_are_left_alone() -> None:
    added = OTHER.sign(TEXT).rpartition("\n\n")[2]

    assert open_note(NOTE + added, VerifierKey.decode(PETER)) == TEXT
    assert open_note(f"{TEXT}\n{added}{SIGNED}", OTHER.verifier) == TEXT


def test_a_note_by_another_key_is_refused() -> None:
    namesake = SignerKey("PeterNeumann", OTHER.seed)

    with pytest.raises(IntegrityError, match="not signed by PeterNeumann"):
        open_note(namesake.sign(TEXT), VerifierKey.decode(PETER))


def test_a_changed_text_is_refused() -> None:
    for at in range(len(TEXT) - 1):
        changed = NOTE[:at] + chr(ord(NOTE[at]) ^ 1) + NOTE[at + 1 :]
        with pytest.raises(IntegrityError):
            open_note(changed, VerifierKey.decode(PETER))


def test_a_second_bad_signature_of_the_known_key_spoils_the_note() -> None:
    wrong = base64.b64encode(bytes.fromhex("c74f20a3") + bytes(64)).decode()

    with pytest.raises(IntegrityError, match="does not fit"):
        open_note(f"{NOTE}— PeterNeumann {wrong}\n", VerifierKey.decode(PETER))


@pytest.mark.parametrize(
    "note",
    [
        "",
        TEXT,
        f"{TEXT}\n",
        NOTE[:-1],
        f"{NOTE}\n",
        f"{TEXT}{SIGNED}",
        f"\n{SIGNED}",
        NOTE.replace("—", "-"),
        NOTE.replace("— ", "—"),
        NOTE.replace("your problem,", "your\tproblem,"),
        NOTE.replace("\n", "\r\n"),
        NOTE.replace("PeterNeumann ", "Peter+Neumann "),
        NOTE.replace("PeterNeumann ", "PeterNeumann  "),
        NOTE.replace("nAM=", "nAM"),
        NOTE.replace("nAM=", "nAN="),
        f"{TEXT}\n— PeterNeumann x08gow==\n",
        f"{TEXT}\n{SIGNED * 101}",
    ],
)
def test_what_is_no_note_is_refused(note: str) -> None:
    with pytest.raises(IntegrityError):
        open_note(note, VerifierKey.decode(PETER))


@pytest.mark.parametrize("text", ["no end", "a\x00b\n", "a\tb\n"])
def test_a_text_that_no_note_can_hold_is_not_signed(text: str) -> None:
    with pytest.raises(IntegrityError):
        OTHER.sign(text)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "a\u2003b"])
def test_a_name_that_no_signature_can_hold_is_refused(name: str) -> None:
    with pytest.raises(IntegrityError):
        VerifierKey(name, bytes(32))


def test_a_seed_is_not_shown() -> None:
    assert PETERS_SEED.hex() not in repr(SignerKey("PeterNeumann", PETERS_SEED))
    assert "seed" not in repr(SignerKey("PeterNeumann", PETERS_SEED))
