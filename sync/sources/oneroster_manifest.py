"""A package's manifest: which system it comes from, and which files are whole."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from sync.sources.oneroster_table import Row, plain_name

SOURCE_PREFIX: Final = "urn:oneroster:"
UNNAMED: Final = "unnamed"
_NO_NAME: Final = frozenset({"", "absent"})
_SYSTEM_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the manifest says; a package without one says nothing."""

    version: str = ""
    system: str = ""
    modes: Mapping[str, str] = field(default_factory=dict)
    """`bulk`, `delta` or `absent` for each file."""

    @property
    def source(self) -> str:
        """The CloudEvents source that the package's events come from."""
        return SOURCE_PREFIX + quote(self.system[:_SYSTEM_MAX] or UNNAMED, safe="")

    def is_delta(self, file: str) -> bool:
        """Tell whether the file holds changes only, so that absence means unchanged."""
        return self.modes.get(file) == "delta"


def read_manifest(rows: Iterable[Row]) -> Manifest:
    """Return what the rows of a manifest say."""
    values = {row["propertyname"].casefold(): row["value"] for row in rows}
    names = (values.get("source.systemname", ""), values.get("source.systemcode", ""))
    return Manifest(
        version=values.get("oneroster.version", ""),
        system=next((name for name in names if name.casefold() not in _NO_NAME), ""),
        modes={
            plain_name(name.removeprefix("file.")): value.casefold()
            for name, value in values.items()
            if name.startswith("file.")
        },
    )


def manifest_notes(manifest: Manifest | None, present: Iterable[str]) -> tuple[str, ...]:
    """Return where the manifest and the package contradict one another, in words."""
    if manifest is None:
        return ("the package has no manifest; all its files are read as whole",)
    notes = []
    found = set(present)
    if not manifest.system:
        notes.append("the manifest names no source system; name one by the source option")
    for file, mode in sorted(manifest.modes.items()):
        if mode in {"bulk", "delta"} and file not in found:
            notes.append(f"the manifest says {mode} for {file}, but the package has no such file")
        elif mode == "absent" and file in found:
            notes.append(f"the manifest says absent for {file}, but it is there and is read")
    return tuple(notes)
