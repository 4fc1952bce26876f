import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.database.file_lock import FileLock
from ledger.errors import LedgerBusyError, StorageError

HOLDER = """
import sys
from pathlib import Path
from ledger.database.file_lock import FileLock
lock = FileLock(Path(sys.argv[1]), "sync")
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_process_is_refused_until_the_first_one_dies(tmp_path: Path) -> None:
    database = tmp_path / "ledger.db"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        lock = FileLock(database, "sync")
        with pytest.raises(LedgerBusyError, match="another `sync` or `run`"):
            lock.acquire()
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    lock.acquire()

    lock.release()


def test_one_process_cannot_take_it_twice_either(tmp_path: Path) -> None:
    first, second = (
        FileLock(tmp_path / "ledger.db", "sync"),
        FileLock(tmp_path / "ledger.db", "sync"),
    )
    first.acquire()
    with pytest.raises(LedgerBusyError):
        second.acquire()
    first.release()
    first.release()
    second.acquire()

    second.release()


def test_a_folder_that_is_not_there_says_what_to_mend(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="make the ledger's folder writable"):
        FileLock(tmp_path / "nowhere" / "ledger.db", "sync").acquire()
