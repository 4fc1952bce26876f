import base64
import stat
from pathlib import Path

import pytest

from ledger.errors import MasterKeyError, StorageError
from ledger.vault.generation_store import (
    FIRST_LINE,
    Generations,
    generation_file,
    read_generations,
    write_generations,
)
from ledger.vault.sealed import KEY_BYTES, NONCE_BYTES, MasterKey
from ledger.vault.wrapping import Wrapping

MASTER, OTHER = MasterKey(b"m" * KEY_BYTES), MasterKey(b"o" * KEY_BYTES)
OLD, NEW = Wrapping(1, b"1" * KEY_BYTES), Wrapping(2, b"2" * KEY_BYTES)
VAULT = b"v" * 16
NONCE = b"n" * NONCE_BYTES


def written(folder: Path, *wrappings: Wrapping) -> Path:
    path = generation_file(folder / "ledger.key")
    write_generations(path, Generations(list(wrappings), MASTER), vault=VAULT, nonce=NONCE)
    return path


def test_generations_come_back_with_the_master_key_that_opened_them(tmp_path: Path) -> None:
    path = written(tmp_path, OLD, NEW)

    held = read_generations(path, [OTHER, MASTER], vault=VAULT)

    assert path.name == "ledger.key.generation"
    assert list(held.wrappings) == [OLD, NEW]
    assert held.master == MASTER


def test_the_file_is_its_owners_alone_and_shows_no_key(tmp_path: Path) -> None:
    path = written(tmp_path, OLD)
    content = path.read_bytes()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert OLD.key not in base64.b64decode(content.splitlines()[2])
    path.chmod(0o640)
    with pytest.raises(MasterKeyError, match="chmod 600"):
        read_generations(path, [MASTER], vault=VAULT)


def test_writing_again_leaves_only_what_was_written_last(tmp_path: Path) -> None:
    written(tmp_path, OLD, NEW)
    (tmp_path / "ledger.key.generation.new").write_bytes(b"left by a crash")
    path = written(tmp_path, NEW)

    assert list(read_generations(path, [MASTER], vault=VAULT).wrappings) == [NEW]
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_another_master_key_opens_nothing(tmp_path: Path) -> None:
    with pytest.raises(MasterKeyError, match="use the key it belongs to"):
        read_generations(written(tmp_path, OLD), [OTHER], vault=VAULT)


def test_the_file_of_another_ledger_is_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(MasterKeyError, match="belongs to another ledger"):
        read_generations(written(tmp_path, OLD), [MASTER], vault=b"w" * 16)


def test_a_missing_file_says_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(MasterKeyError, match="copy it from the host"):
        read_generations(tmp_path / "ledger.key.generation", [MASTER], vault=VAULT)


def test_a_file_cut_short_or_changed_anywhere_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, OLD)
    whole = path.read_bytes()
    cut = [whole[:length] for length in range(len(whole) - 1)]
    changed = [
        whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
        for place in range(len(whole) - 4)
    ]
    for content in [*cut, *changed, f"{FIRST_LINE}\n{VAULT.hex()}\nключ\n".encode()]:
        path.write_bytes(content)

        with pytest.raises(MasterKeyError):
            read_generations(path, [MASTER], vault=VAULT)


def test_a_disk_that_refuses_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = written(tmp_path, OLD)
    (tmp_path / "ledger.key.generation.new").mkdir()

    with pytest.raises(StorageError, match="could not be written"):
        written(tmp_path, NEW)

    assert list(read_generations(path, [MASTER], vault=VAULT).wrappings) == [OLD]
