"""A text that opens doors: it travels with the settings and never shows itself."""

from typing import Any, Final

from pydantic import GetCoreSchemaHandler
from pydantic_core import core_schema

from ledger.errors import MasterKeyError
from ledger.vault.key_source import key_of
from ledger.vault.sealed import MasterKey

HIDDEN: Final = "********"


class Secret:
    """A secret that shows as asterisks wherever it is printed, logged or compared in an error."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the secret itself, for the one place that sends it."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reveal() == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    @classmethod
    def __get_pydantic_core_schema__(
        cls,
        source: Any,  # noqa: ANN401 - the signature that pydantic calls
        handler: GetCoreSchemaHandler,
    ) -> core_schema.CoreSchema:
        """Tell pydantic to take a text or a secret."""
        return core_schema.no_info_plain_validator_function(_read)


def master_key(key: Secret) -> MasterKey | None:
    """Return the master key that a secret holds; raises ValueError, repeating nothing of it."""
    try:
        return key_of(key.reveal()) if key else None
    except MasterKeyError as error:
        message = f"must be a master key: {error}"
        raise ValueError(message) from None


def _read(value: object) -> Secret:
    if isinstance(value, Secret):
        return value
    if isinstance(value, str):
        return Secret(value)
    message = "must be text"
    raise ValueError(message)
