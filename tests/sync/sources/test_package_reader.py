import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from sync.errors import InputError
from sync.sources.package_reader import PackageLimits, open_package
from tests.sync.sources.packages import write_zip

ORGS = b"sourcedId,name\n1,x\n"


def names(path: Path, limits: PackageLimits | None = None) -> Mapping[str, str]:
    with open_package(path, limits or PackageLimits()) as package:
        for file in package.names:
            with package.open(file) as stream:
                assert stream.read() == ORGS
        return package.names


@pytest.mark.parametrize(
    "files",
    [
        ["orgs.csv"],
        ["export 2026/orgs.csv"],
        ["a/b/orgs.csv", "__MACOSX/a/b/._orgs.csv", "a/b/readme.txt"],
        ["orgs.csv", "old/orgs.csv"],
        ["a/orgs.csv", "a/manifest.csv", "b/orgs.csv"],
        ["a\\orgs.csv"],
    ],
)
def test_an_archive_may_hold_its_package_in_a_folder(tmp_path: Path, files: list[str]) -> None:
    found = names(write_zip(tmp_path / "x.zip", dict.fromkeys(files, ORGS)))

    assert found["orgs"] == files[0].replace("\\", "/")


def test_a_folder_may_hold_its_package_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "Orgs.CSV").write_bytes(ORGS)
    (tmp_path / "export" / ".hidden.csv").write_bytes(b"x")

    assert names(tmp_path) == {"orgs": "export/Orgs.CSV"}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (["../orgs.csv"], "leads out of it"),
        (["/etc/orgs.csv"], "leads out of it"),
        (["C:/orgs.csv"], "leads out of it"),
        (["a/orgs.csv", "b/orgs.csv"], "more than one package"),
        (["orgs.csv", "Orgs.csv"], "two files for orgs"),
        (["School.csv"], "no OneRoster CSV files"),
        ([], "no OneRoster CSV files"),
    ],
)
def test_an_archive_that_cannot_be_trusted_is_refused(
    tmp_path: Path, files: list[str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        names(write_zip(tmp_path / "x.zip", dict.fromkeys(files, ORGS)))


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.zip", {"orgs.csv": b"0" * 100_000})

    with pytest.raises(InputError, match="beyond the limit"):
        names(path, PackageLimits(bytes_max=50_000))
    with pytest.raises(InputError, match="beyond the limit"):
        names(path, PackageLimits(files_max=0))
    with pytest.raises(InputError, match="unpack to far more"):
        names(path, PackageLimits(ratio_free_bytes=1000))


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("orgs.csv", ORGS)
    path.write_bytes(path.read_bytes().replace(b"1,x", b"1,y"))
    text = tmp_path / "x.txt"
    text.write_bytes(ORGS)

    with pytest.raises(InputError, match=r"x\.zip is neither a folder nor a zip archive"):
        names(path)
    with pytest.raises(InputError, match=r"x\.txt is neither a folder nor a zip archive"):
        names(text)


def test_an_encrypted_archive_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.zip", {"orgs.csv": ORGS})
    content = bytearray(path.read_bytes())
    # The flag for encryption, in the file's own header and in the directory at the end.
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)

    with pytest.raises(InputError, match="encrypted or packed in an unknown way"):
        names(path)


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="check that it exists"):
        names(tmp_path / "none.zip")


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_bytes(ORGS)
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "orgs.csv").symlink_to(tmp_path / "secret.csv")

    with pytest.raises(InputError, match="leads out of the package"):
        names(tmp_path / "package")
