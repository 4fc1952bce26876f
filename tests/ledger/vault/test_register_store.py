import errno
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.errors import IntegrityError, MasterKeyError, StorageError
from ledger.reference import LedgerId
from ledger.vault.private_file_store import way_out
from ledger.vault.register_store import Erased, Register

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OURS, THEIRS = LedgerId("aa"), LedgerId("bb")


@pytest.fixture
def register(tmp_path: Path) -> Register:
    return Register.beside(tmp_path / "ledger.key")


def add(register: Register, person: str, *, ledger: LedgerId = OURS, position: int = 7) -> None:
    register.add(ledger, person, position=position, recorded_at=NOW)


def test_without_a_file_nobody_is_erased(register: Register) -> None:
    assert register.names(OURS) == frozenset()
    assert not register.path.exists()


def test_who_was_added_is_named_in_order_and_in_their_ledger_only(register: Register) -> None:
    add(register, "student:S-2")
    add(register, "student:S-1", position=9)
    add(register, "student:S-3", ledger=THEIRS)

    assert register.names(OURS) == {"student:S-1", "student:S-2"}
    assert register.entries(OURS) == [
        Erased("aa", "student:S-2", 7, "2026-01-01T00:00:00+00:00"),
        Erased("aa", "student:S-1", 9, "2026-01-01T00:00:00+00:00"),
    ]
    assert register.names(THEIRS) == {"student:S-3"}


def test_the_same_person_again_changes_nothing(register: Register) -> None:
    add(register, "student:S-1")
    before = register.path.read_bytes()
    add(register, "student:S-1", position=12)

    assert register.path.read_bytes() == before


def test_the_register_is_its_owners_alone(register: Register) -> None:
    add(register, "student:S-1")

    assert register.path.name == "ledger.key.erased"
    assert stat.S_IMODE(register.path.stat().st_mode) == 0o600
    register.path.chmod(0o644)
    with pytest.raises(MasterKeyError, match="chmod 600"):
        register.names(OURS)
    with pytest.raises(MasterKeyError, match="chmod 600"):
        add(register, "student:S-2")


def test_a_line_cut_off_at_any_byte_did_not_count_and_is_written_anew(register: Register) -> None:
    add(register, "student:S-1")
    whole = register.path.read_bytes()
    add(register, "student:S-2")
    both = register.path.read_bytes()
    for length in range(len(whole), len(both)):
        register.path.write_bytes(both[:length])
        names = register.names(OURS)
        add(register, "student:S-2")

        assert names == {"student:S-1"}
        assert register.path.read_bytes() == both


@pytest.mark.parametrize("line", [b"", b"no JSON", b"[]", b'{"ledger": "aa"}', b'"text"', b"\xff"])
def test_a_damaged_line_is_not_passed_over(register: Register, line: bytes) -> None:
    add(register, "student:S-1")
    register.path.write_bytes(line + b"\n" + register.path.read_bytes())

    with pytest.raises(IntegrityError, match="line 1: restore it"):
        register.names(OURS)
    with pytest.raises(IntegrityError, match="line 1: restore it"):
        add(register, "student:S-2")


def test_a_folder_that_is_not_there_is_a_storage_error(tmp_path: Path) -> None:
    register = Register.beside(tmp_path / "missing" / "ledger.key")

    assert register.names(OURS) == frozenset()
    with pytest.raises(StorageError, match="free or mend the disk"):
        add(register, "student:S-1")


@pytest.mark.parametrize("error", [errno.EACCES, errno.EROFS])
def test_a_folder_that_may_not_be_written_is_named_with_its_way_out(
    tmp_path: Path, error: int
) -> None:
    path = tmp_path / "ledger.key.erased"

    said = way_out(path, OSError(error, "refused"))

    assert said == f"let this user write to {path} and to its folder {tmp_path}"
    assert way_out(path, OSError(errno.ENOSPC, "full")) == "free or mend the disk"


def test_a_register_is_refused_at_its_bound_and_loses_nothing(register: Register) -> None:
    add(register, "student:S-1")
    add(register, "student:S-2")
    whole = register.path.read_bytes()
    for size in (len(whole), len(whole) - 1):
        bounded = Register(register.path, bytes_max=size)
        with pytest.raises(StorageError, match=f"longer than the {size} bytes"):
            add(bounded, "student:S-3")

        assert register.path.read_bytes() == whole
    with pytest.raises(StorageError, match="nothing is lost"):
        bounded.names(OURS)
