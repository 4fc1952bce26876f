"""A folder or a zip archive of CSV files, opened without trusting it; nothing is unpacked."""

import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Final

from sync.errors import InputError, UnreadableError
from sync.sources.oneroster_table import MANIFEST, USED_FILES, file_key

_DEPTH_MAX: Final = 3


@dataclass(frozen=True, slots=True)
class PackageLimits:
    """How large a package may be; archives are held to what they would unpack to."""

    files_max: int = 1000
    bytes_max: int = 2 * 1024**3
    ratio_max: int = 200
    ratio_free_bytes: int = 16 * 1024**2
    """Up to this size, how well a file is compressed does not matter."""


@dataclass(frozen=True, slots=True)
class Package:
    """The CSV files of one package, by what they hold."""

    label: str
    names: Mapping[str, str]
    open_file: Callable[[str], IO[bytes]]

    def open(self, file: str) -> IO[bytes]:
        """Open the file that holds this."""
        return self.open_file(self.names[file])


@contextmanager
def open_package(path: Path, limits: PackageLimits) -> Iterator[Package]:
    """Open the package at that path, or say with an InputError why it is none."""
    try:
        if path.is_dir():
            yield _folder(path, limits)
        else:
            with zipfile.ZipFile(path) as archive:
                yield _archive(path, archive, limits)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        message = (
            f"{path.name} is neither a folder nor a zip archive that can be read; pack it again"
        )
        raise InputError(message) from error
    except OSError as error:
        message = f"{path.name} cannot be read; check that it exists and that you may read it"
        raise UnreadableError(message) from error


def _folder(path: Path, limits: PackageLimits) -> Package:
    root = path.resolve()
    files = [item for item in _walk(root, _DEPTH_MAX) if item.suffix.casefold() == ".csv"]
    for item in files:
        if not item.resolve().is_relative_to(root):
            message = f"{item.name} is a link that leads out of the package; put the file itself in"
            raise InputError(message)
        if not item.is_file():
            message = f"{item.name} is not a regular file; take it out of the package"
            raise InputError(message)
    _check_size(path, len(files), sum(item.stat().st_size for item in files), limits)
    names = [item.relative_to(root).as_posix() for item in files]
    return Package(path.name, _select(path, names), lambda name: (root / name).open("rb"))


def _walk(folder: Path, depth: int) -> Iterator[Path]:
    for item in sorted(folder.iterdir()):
        if item.is_dir() and not item.is_symlink():
            if depth > 1:
                yield from _walk(item, depth - 1)
        elif not item.name.startswith("."):
            yield item


def _archive(path: Path, archive: zipfile.ZipFile, limits: PackageLimits) -> Package:
    members = {item.filename.replace("\\", "/"): item for item in archive.infolist()}
    _check_size(path, len(members), sum(item.file_size for item in members.values()), limits)
    for name, item in members.items():
        if name.startswith("/") or ".." in PurePosixPath(name).parts or ":" in name[:2]:
            message = f"{path.name} holds a file name that leads out of it; do not trust this file"
            raise InputError(message)
        is_large = item.file_size > limits.ratio_free_bytes
        if is_large and item.file_size > limits.ratio_max * max(item.compress_size, 1):
            message = f"{path.name} would unpack to far more than it is; do not trust this file"
            raise InputError(message)
    names = [name for name in members if _is_csv(name)]
    return Package(
        path.name, _select(path, names), lambda name: _open_member(path, archive, members[name])
    )


def _open_member(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> IO[bytes]:
    try:
        return archive.open(member)
    except (RuntimeError, NotImplementedError) as error:
        # What zipfile raises for a password that is missing and for unknown compression.
        message = (
            f"{path.name} is encrypted or packed in an unknown way; unpack it and name its folder"
        )
        raise InputError(message) from error


def _is_csv(name: str) -> bool:
    *folders, last = name.split("/")
    # Archives made on a Mac carry a shadow of each file.
    is_shadow = "__MACOSX" in folders or last.startswith("._")
    return last.casefold().endswith(".csv") and not is_shadow


def _check_size(path: Path, files: int, size: int, limits: PackageLimits) -> None:
    if files > limits.files_max or size > limits.bytes_max:
        message = (
            f"{path.name} holds {files} files of {size} bytes, beyond the limit of"
            f" {limits.files_max} files or {limits.bytes_max} bytes; split the package"
        )
        raise InputError(message)


def _select(path: Path, names: list[str]) -> Mapping[str, str]:
    """Return the files of the one folder that holds a package, by what they hold."""
    folders: dict[str, dict[str, str]] = {}
    for name in names:
        files = folders.setdefault(name.rpartition("/")[0], {})
        key = file_key(name)
        if files.setdefault(key, name) != name:
            message = f"{path.name} holds two files for {key}; take one of them out"
            raise InputError(message)
    found = [files for _, files in sorted(folders.items()) if files.keys() & set(USED_FILES)]
    with_manifest = [files for files in found if MANIFEST in files]
    # The uppermost folder sorts first and counts if it holds a package itself.
    chosen = [folders[""]] if folders.get("") in found else with_manifest or found
    if not chosen:
        message = f"{path.name} holds no OneRoster CSV files, such as orgs.csv or users.csv"
        raise InputError(message)
    if len(chosen) > 1:
        message = f"{path.name} holds more than one package; name the folder of one of them"
        raise InputError(message)
    return chosen[0]
