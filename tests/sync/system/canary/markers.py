"""Words that stand in every personal field, and the search for them in whatever form."""

import base64
import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from urllib.parse import quote

PDF = b"%PDF-1.4\n% Qanardocument of a person\n%%EOF\n"
OTHER_PDF = b"%PDF-1.4\n% Qanarsecondone of a person\n%%EOF\n"

MARKERS = {
    "name": "Qanarname",
    "family name": "Qanarfamily",
    "social name": "Qanarsocial",
    "e-mail": "qanarmail+x@qanarhost.example",
    "birth": "1913-07-29",
    "gender": "qanargender",
    "enrolled": "1934-05-17",
    "completed": "1936-08-23",
    "issued": "1937-09-11",
    "grade": '"7.31"',
    "actor": "Qanaractor",
    "operator": "Qanaroperator",
    "reason": "Qanarreason",
    "document": "Qanardocument",
    "second document": "Qanarsecondone",
    "digest of the document": hashlib.sha256(PDF).hexdigest(),
    "broken line": "Qanarbroken",
    "refused value": "Qanarrefused",
    "refused id": "qanarid@qanarhost.example",
    "refused name of a field": "Qanarfield",
    "inbox": "Qanarinbox",
    "echo": "Qanarecho",
    "stranger": "Qanarstranger",
}
"""What must show nowhere, by what it is."""


def forms(marker: str) -> Iterator[bytes]:
    """Return a marker in every form in which it could be written down."""
    for text in {marker, marker.lower(), marker.upper()}:
        plain = text.encode()
        yield plain
        yield text.encode("utf-16-le")
        yield text.encode("utf-16-be")
        yield plain.hex().encode()
        yield plain.hex().upper().encode()
        yield from _in_base64(plain)
        yield quote(text, safe="").encode()
    if len(marker) == hashlib.sha256().digest_size * 2:
        yield bytes.fromhex(marker)


def _in_base64(plain: bytes) -> Iterator[bytes]:
    """Return what of base64 is the same wherever the text stands in what was encoded."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + plain)
        first = -(-before * 4 // 3)
        last = (before + len(plain)) * 8 // 6
        yield encoded[first:last]
        yield base64.urlsafe_b64encode(bytes(before) + plain)[first:last]


class Search:
    """Looks for every marker, and for what else must not show."""

    def __init__(self, others: Iterable[tuple[str, str]] = ()) -> None:
        self._wanted = {**MARKERS, **dict(others)}
        self._forms = _forms(self._wanted)

    def without(self, names: Collection[str]) -> "Search":
        """Return a search that passes some markers over."""
        found = Search()
        found._wanted = {what: text for what, text in self._wanted.items() if what not in names}
        found._forms = _forms(found._wanted)
        return found

    def what_is_in(self, text: str) -> set[str]:
        """Name the markers that show in a text."""
        content = text.encode()
        return {what for form, what in self._forms.items() if form in content}

    def in_bytes(self, content: bytes, *, where: str) -> list[str]:
        """Tell which markers show in these bytes."""
        found = {what: form for form, what in self._forms.items() if form in content}
        return [
            f"{where}: {what} as {form!r}{_around(content, form)}" for what, form in found.items()
        ]

    def in_text(self, text: str, *, where: str) -> list[str]:
        """Tell which markers show in a text."""
        return self.in_bytes(text.encode(), where=where)


def _forms(wanted: Mapping[str, str]) -> dict[bytes, str]:
    return {form: what for what, marker in wanted.items() for form in forms(marker)}


def _around(content: bytes, form: bytes) -> str:
    at = content.index(form)
    return f" in {content[max(0, at - 60) : at + len(form) + 20]!r}"
