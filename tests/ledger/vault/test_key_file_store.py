import base64
import errno
import os
import resource
import stat
from pathlib import Path

import pytest

from ledger.errors import MasterKeyError, StorageError
from ledger.vault.key_file_store import FIRST_LINE, make_key_file, read_key_file

SECRET = bytes(range(32))
ENCODED = base64.b64encode(SECRET).decode()


def written(path: Path, text: str, *, mode: int = 0o600) -> Path:
    path.write_text(text, "utf-8")
    path.chmod(mode)
    return path


def test_a_key_file_is_made_for_its_owner_only_and_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "ledger.key"

    made = make_key_file(path, SECRET)

    assert made.secret == SECRET
    assert read_key_file(path) == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text("ascii") == f"{FIRST_LINE}\n{ENCODED}\n"


def test_a_file_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    path = written(tmp_path / "ledger.key", "anything")

    with pytest.raises(MasterKeyError, match="never written over"):
        make_key_file(path, SECRET)

    assert path.read_text("utf-8") == "anything"


def test_a_dangling_link_is_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "ledger.key"
    path.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(MasterKeyError, match="never written over"):
        make_key_file(path, SECRET)

    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610, 0o601])
def test_a_key_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    path = written(tmp_path / "ledger.key", f"{FIRST_LINE}\n{ENCODED}\n", mode=mode)

    with pytest.raises(MasterKeyError, match=f"mode {mode:04o}.*chmod 600"):
        read_key_file(path)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_key_file_of_its_owner_is_read(tmp_path: Path, mode: int) -> None:
    path = written(tmp_path / "ledger.key", f"{FIRST_LINE}\n{ENCODED}\n", mode=mode)

    assert read_key_file(path).secret == SECRET


def test_a_missing_key_file_says_where_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(MasterKeyError, match="restore it from its backup"):
        read_key_file(tmp_path / "ledger.key")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        FIRST_LINE,
        f"{FIRST_LINE}\n",
        ENCODED,
        f"dokstamp-ledger master key 2\n{ENCODED}\n",
        f"{FIRST_LINE}\n{ENCODED[:-8]}\n",
        f"{FIRST_LINE}\n{ENCODED[:-1]}\n",
        f"{FIRST_LINE}\n{ENCODED}\n{ENCODED}\n",
        f"{FIRST_LINE}\nnot base64 at all\n",
        f"{FIRST_LINE}\nключ\n",
        "x" * 10_000,
    ],
)
def test_a_malformed_key_file_is_refused_without_showing_it(tmp_path: Path, text: str) -> None:
    path = written(tmp_path / "ledger.key", text)

    with pytest.raises(MasterKeyError, match="not a whole key file") as refusal:
        read_key_file(path)

    assert ENCODED[:8] not in str(refusal.value)


def test_a_folder_in_place_of_the_key_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="check the disk"):
        read_key_file(tmp_path)


def test_a_device_in_place_of_the_key_file_is_refused() -> None:
    with pytest.raises(MasterKeyError, match="not a regular file"):
        read_key_file(Path(os.devnull))


def test_a_folder_that_is_not_there_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="could not be written") as refusal:
        make_key_file(tmp_path / "missing" / "ledger.key", SECRET)

    assert isinstance(refusal.value.__cause__, OSError)
    assert refusal.value.__cause__.errno == errno.ENOENT


def test_a_disk_that_refuses_leaves_no_half_key(tmp_path: Path) -> None:
    path = tmp_path / "ledger.key"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, hard))

    try:
        with pytest.raises(StorageError, match="free or mend the disk"):
            make_key_file(path, SECRET)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert not path.exists()


def test_a_secret_of_another_length_makes_no_file(tmp_path: Path) -> None:
    path = tmp_path / "ledger.key"

    with pytest.raises(MasterKeyError):
        make_key_file(path, b"short")

    assert not path.exists()
