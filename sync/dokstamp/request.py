"""A request to DokStamp as a value: what is sent, and under which route it is remembered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final
from urllib.parse import quote

BodyValue = None | bool | int | str | Decimal | Sequence["BodyValue"] | Mapping[str, "BodyValue"]
"""What a JSON body can hold; decimals become JSON numbers, digit for digit."""

Body = Mapping[str, BodyValue]

_SEGMENTS_REFUSED: Final = frozenset({"", ".", ".."})


@dataclass(frozen=True, slots=True)
class Upload:
    """One file of a multipart upload."""

    name: str = field(repr=False)
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """One call, free of transport: the client adds host, tenant, token and time-outs."""

    method: str
    path: str = field(repr=False)
    route: str
    """The path as evidence shows it: file uuids replaced by `{file}` (API 14, trap 34)."""
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: Body | None = field(default=None, repr=False)
    upload: Upload | None = None

    @property
    def is_safe(self) -> bool:
        """Whether sending it can change nothing remotely."""
        return self.method == "GET"

    @property
    def is_filtered(self) -> bool:
        """Whether it asks for the part of a list where columns have certain values."""
        return any(name.startswith("where[") for name, _ in self.query)


def path_of(*segments: str) -> str:
    """Return the path made of these segments, each percent-encoded whole.

    A uuid is whatever DokStamp sent (API 5.2), so a path never trusts one to be harmless.
    """
    if not segments or any(segment in _SEGMENTS_REFUSED for segment in segments):
        message = "a path needs segments that name something; check the uuid that was bound"
        raise ValueError(message)
    return "".join(f"/{quote(segment, safe='')}" for segment in segments)
