import pytest

from sync.sources.oneroster_manifest import Manifest, manifest_notes, read_manifest
from sync.sources.oneroster_table import Row


def manifest(**values: str) -> Manifest:
    names = {"name": "source.systemName", "code": "source.systemCode", "users": "file.users"}
    rows = [Row({"propertyname": names.get(k, k), "value": v}) for k, v in values.items()]
    return read_manifest(rows)


@pytest.mark.parametrize(
    ("values", "source"),
    [
        ({"name": "DataGen"}, "urn:oneroster:DataGen"),
        ({"name": "absent", "code": "Demo SIS/2"}, "urn:oneroster:Demo%20SIS%2F2"),
        ({"name": "", "code": "Absent"}, "urn:oneroster:unnamed"),
        ({}, "urn:oneroster:unnamed"),
    ],
)
def test_the_source_is_named_after_the_system(values: dict[str, str], source: str) -> None:
    assert manifest(**values).source == source


def test_only_a_delta_file_is_one() -> None:
    assert manifest(users="Delta").is_delta("users")
    assert not manifest(users="bulk").is_delta("users")
    assert not manifest().is_delta("users")


def test_contradictions_are_told() -> None:
    assert manifest_notes(None, []) == (
        "the package has no manifest; all its files are read as whole",
    )
    assert manifest_notes(manifest(name="x", users="bulk"), []) == (
        "the manifest says bulk for users, but the package has no such file",
    )
    assert manifest_notes(manifest(users="absent"), ["users"]) == (
        "the manifest names no source system; name one by the source option",
        "the manifest says absent for users, but it is there and is read",
    )
