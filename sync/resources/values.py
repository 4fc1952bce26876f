"""Forms of values: how a source writes them, how they are kept, how DokStamp shows them.

Every form answers five questions: is this value acceptable (`read`), what is kept of what DokStamp
shows (`recall`), do two kept values say the same (`same`), what counts of it in a natural key
(`key`), and how is it sent (`send`).
"""

import dataclasses
import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from ledger.reference import Json

Value = Json | Decimal
"""What a request body holds: JSON values, and decimals that must never pass through a float."""

ID_LENGTH_MAX = 255
_WHOLE_MAX = 2**31 - 1
_EMAIL_LIKE = re.compile(r"[^\s@]@[^\s@]+\.[^\W\d_]{2,}")
_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with an event; its message never repeats the value."""

    field: str
    code: str
    message: str
    named: str = dataclasses.field(default="", repr=False)
    """What the source calls a field that nobody knows: perhaps somebody's data, so kept sealed."""

    @property
    def exact_field(self) -> str:
        """The field, for who may see what the source wrote."""
        return f"{self.field}.{self.named}" if self.named else self.field


def is_email_like(text: str) -> bool:
    """Tell whether an id looks like an e-mail address, and so like personal data."""
    return _EMAIL_LIKE.search(text) is not None


def holds_unsafe_characters(text: str, *, allowed: str = "") -> bool:
    """Tell whether a text holds control characters or halves of surrogate pairs."""
    return any(unicodedata.category(c) in {"Cc", "Cs"} and c not in allowed for c in text)


def fold(text: str) -> str:
    """Return what is left of a text when letter case and blanks at the ends do not count."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).strip().casefold())


@dataclass(frozen=True, slots=True)
class Form:
    """The form of one field's value; this one is plain text that is taken as it comes."""

    def read(self, value: object) -> Json | Fault:
        """Return what is kept of a source's value, or what is wrong with it."""
        return value if isinstance(value, str) else Fault("", "type", "must be text")

    def recall(self, shown: object) -> Json:
        """Return what is kept of a value as DokStamp shows it, `None` for none."""
        return str(shown) if isinstance(shown, str | int | float) and shown != "" else None

    def same(self, first: Json, second: Json) -> bool:
        """Tell whether two kept values say the same."""
        return first == second

    def key(self, value: Json) -> str:
        """Return what counts of a kept value in a natural key."""
        return "" if value is None else str(value)

    def send(self, value: Json) -> Value:
        """Return the value as a request body carries it."""
        return value


@dataclass(frozen=True, slots=True)
class Text(Form):
    """Text without blanks at its ends; blank text is no value at all."""

    limit: int | None = None
    keeps_case: bool = False
    """Whether letter case counts in a natural key."""

    def read(self, value: object) -> Json | Fault:
        """Return the text without blanks at its ends, `None` if nothing is left of it."""
        if not isinstance(value, str):
            return Fault("", "type", "must be text")
        text = value.strip()
        if holds_unsafe_characters(text, allowed="\t\n\r"):
            return Fault("", "characters", "must not hold control characters; take them out")
        if self.limit is not None and len(text) > self.limit:
            return Fault("", "length", f"must be at most {self.limit} characters long")
        return text or None

    def key(self, value: Json) -> str:
        """Return the text as a natural key compares it."""
        text = "" if value is None else str(value)
        return text if self.keeps_case else fold(text)


@dataclass(frozen=True, slots=True)
class PersonName(Text):
    """A person's name: sent as it is, but matched without regard to blanks and letter case."""

    def key(self, value: Json) -> str:
        """Return the name with single blanks and without letter case."""
        return " ".join(fold("" if value is None else str(value)).split())


@dataclass(frozen=True, slots=True)
class Opaque(Form):
    """A name that DokStamp gave, taken over unchanged and compared without letter case."""

    def read(self, value: object) -> Json | Fault:
        """Return the name as it is, if it is one."""
        if not isinstance(value, str) or not value.strip() or len(value) > ID_LENGTH_MAX:
            return Fault("", "type", f"must be text of 1 to {ID_LENGTH_MAX} characters")
        if holds_unsafe_characters(value) or value != value.strip():
            return Fault("", "characters", "must hold neither edge blanks nor control characters")
        return value

    def same(self, first: Json, second: Json) -> bool:
        """Tell whether two spellings are one name."""
        return str(first).casefold() == str(second).casefold()


@dataclass(frozen=True, slots=True)
class Link(Form):
    """The source id of another record; DokStamp shows its uuid instead."""

    entity: str

    def read(self, value: object) -> Json | Fault:
        """Return the id if some record could have it as its subject."""
        return id_fault(value) or str(value)


def id_fault(value: object) -> Fault | None:
    """Return why a value cannot be the source id of a record, `None` if it can."""
    if not isinstance(value, str):
        return Fault("", "type", "must be text: the source's own id of the record")
    if not 1 <= len(value) <= ID_LENGTH_MAX or not value.strip():
        return Fault("", "length", f"must be 1 to {ID_LENGTH_MAX} characters long and not blank")
    if holds_unsafe_characters(value):
        return Fault("", "characters", "must not hold control characters")
    if value != value.strip():
        return Fault("", "blanks", "must not start or end with a blank")
    if not unicodedata.is_normalized("NFC", value):
        return Fault("", "normalization", "must be in Unicode normalization form NFC")
    return None


@dataclass(frozen=True, slots=True)
class Whole(Form):
    """A whole number from zero up."""

    def read(self, value: object) -> Json | Fault:
        """Return the number, if it is whole and not negative."""
        is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
        number = _decimal_of(value) if is_number else None
        if number is None or number != number.to_integral_value():
            return Fault("", "type", "must be a whole number, not in quotes")
        if not 0 <= number <= _WHOLE_MAX:
            return Fault("", "range", f"must be between 0 and {_WHOLE_MAX}")
        return int(number)

    def recall(self, shown: object) -> Json:
        """Return the number, also when it is shown as text or with a decimal point."""
        number = _decimal_of(shown)
        is_whole = number is not None and number == number.to_integral_value()
        return int(number) if number is not None and is_whole else None


@dataclass(frozen=True, slots=True)
class Flag(Form):
    """True or false."""

    def read(self, value: object) -> Json | Fault:
        """Return the flag, if it is one."""
        if isinstance(value, bool):
            return value
        return Fault("", "type", "must be true or false, not in quotes and not a number")

    def recall(self, shown: object) -> Json:
        """Return the flag, also when it is shown as a number or text."""
        spelled = str(shown).lower()
        return {"true": True, "1": True, "false": False, "0": False}.get(spelled)


@dataclass(frozen=True, slots=True)
class Choice(Form):
    """One word of a list."""

    words: tuple[str, ...]

    def read(self, value: object) -> Json | Fault:
        """Return the word, if the list has it."""
        if isinstance(value, str) and value in self.words:
            return value
        return Fault("", "choice", f"must be one of {', '.join(self.words)}")


@dataclass(frozen=True, slots=True)
class Grade(Form):
    """A decimal from 0 to 10 with at most two decimals, kept as text without trailing zeros."""

    def read(self, value: object) -> Json | Fault:
        """Return the grade as text, whether it came as a number or as text."""
        is_text = isinstance(value, str) and _DECIMAL.fullmatch(value) is not None
        is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
        number = _decimal_of(value) if is_text or is_number else None
        if number is None:
            return Fault("", "type", "must be a decimal number with a point, such as 8.75")
        if not 0 <= number <= 10:
            return Fault("", "range", "must be between 0 and 10")
        if number != round(number, 2):
            return Fault("", "decimals", "must have at most 2 decimals")
        return _plain(number)

    def recall(self, shown: object) -> Json:
        """Return the grade rounded to two decimals, whether shown as a number or as text."""
        number = _decimal_of(shown)
        return None if number is None or abs(number) > _WHOLE_MAX else _plain(round(number, 2))

    def send(self, value: Json) -> Value:
        """Return the grade as a decimal, to be written as a JSON number."""
        return None if value is None else Decimal(str(value))


def _decimal_of(value: object) -> Decimal | None:
    if not isinstance(value, str | int | float | Decimal) or isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _plain(number: Decimal) -> str:
    return format(abs(number.normalize()), "f") if number == 0 else format(number.normalize(), "f")
