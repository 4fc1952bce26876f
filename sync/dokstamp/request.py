"""A request to DokStamp as a value: what is sent, and under which route it is remembered."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ledger.reference import Json


@dataclass(frozen=True, slots=True)
class Upload:
    """One file of a multipart upload."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """One call, free of transport: the client adds host, tenant, token and time-outs."""

    method: str
    path: str = field(repr=False)
    route: str
    """The path as evidence shows it: file uuids replaced by `{file}` (API 14, trap 34)."""
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: Mapping[str, Json] | None = field(default=None, repr=False)
    upload: Upload | None = None

    @property
    def is_safe(self) -> bool:
        """Whether sending it can change nothing remotely."""
        return self.method == "GET"
