"""Tree heads, signed and read back; the sample is the example of C2SP's tlog-checkpoint.md."""

import base64

import pytest

from ledger.audit.checkpoint import Checkpoint, read_checkpoint, signer_of
from ledger.audit.note import SignerKey, parse_note
from ledger.audit.verification import Head
from ledger.errors import IntegrityError
from ledger.reference import LedgerId

KEY = signer_of(LedgerId("a1b2"), seed=bytes(range(32)))
ROOT = base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
SAMPLE = (
    "example.com/behind-the-sofa\n"
    "20852163\n"
    "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    "\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q"
    "1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
)


def test_the_published_example_is_written_alike() -> None:
    checkpoint = Checkpoint("example.com/behind-the-sofa", Head(20_852_163, ROOT))

    assert parse_note(SAMPLE)[0] == checkpoint.text()


def test_a_signed_head_is_read_back() -> None:
    checkpoint = Checkpoint("dokstamp-ledger/a1b2", Head(0, bytes(32)))

    assert read_checkpoint(checkpoint.sign(KEY), KEY.verifier) == checkpoint


def test_the_key_is_named_like_the_log() -> None:
    assert KEY.verifier.encode().startswith("dokstamp-ledger/a1b2+")


def test_lines_that_follow_the_root_are_allowed() -> None:
    text = Checkpoint(KEY.name, Head(7, ROOT)).text() + "more\n"

    assert read_checkpoint(KEY.sign(text), KEY.verifier).head == Head(7, ROOT)


@pytest.mark.parametrize(
    "text",
    [
        f"{KEY.name}\n7\n",
        f"{KEY.name}\n07\n{base64.b64encode(ROOT).decode()}\n",
        f"{KEY.name}\n-7\n{base64.b64encode(ROOT).decode()}\n",
        f"{KEY.name}\n\u0667\n{base64.b64encode(ROOT).decode()}\n",
        f"{KEY.name}\n7\n{ROOT.hex()}\n",
        f"{KEY.name}\n7\n{base64.b64encode(ROOT[1:]).decode()}\n",
        f"{KEY.name}\n7\n!\n",
        f"\n7\n{base64.b64encode(ROOT).decode()}\n",
        f"{KEY.name}\n7\n{base64.b64encode(ROOT).decode()}\n\nmore\n",
        f"other\n7\n{base64.b64encode(ROOT).decode()}\n",
    ],
)
def test_what_is_no_checkpoint_of_the_ledger_is_refused(text: str) -> None:
    with pytest.raises(IntegrityError):
        read_checkpoint(KEY.sign(text), KEY.verifier)


def test_a_checkpoint_by_another_key_is_refused() -> None:
    other = SignerKey(KEY.name, bytes(32))

    with pytest.raises(IntegrityError, match="not signed by"):
        read_checkpoint(Checkpoint(KEY.name, Head(7, ROOT)).sign(other), KEY.verifier)
