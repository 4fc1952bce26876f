"""Every setting with its default, checked once and frozen for the life of the process.

```
 defaults ─► dokstamp-ledger.toml ─► environment DOKSTAMP_* ─► what the host or command line gives
                                                               (the later one wins)
```
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from ledger.database import Durability
from ledger.home import Address
from ledger.vault.key_file_store import KEY_FILE
from ledger.vault.key_source import KeySource
from sync.dispatcher.procedures.rules import DeletePolicy, Institutions, IssueStyle, Rules
from sync.dokstamp.auth import ClientCredentials, Credentials, Login
from sync.dokstamp.client import Connection
from sync.dokstamp.edition import AuthMode
from sync.errors import ConfigurationError
from sync.projector.run_worker import GuardTerms
from sync.resources.certificate import REVOCATION_TEXTS
from sync.runtime.database_address import database_place
from sync.runtime.secret import Secret, master_key
from sync.runtime.settings_reader import Given, gather
from sync.runtime.settle_window import check_settle_window
from sync.sources.event_reader import Rules as IntakeRules
from sync.sources.oneroster_dates import DateOrder
from sync.sources.oneroster_records import Options

LEASE_MARGIN_SECONDS: Final = 15.0
"""How much longer than a request a lease lives, at least; twice as long as a short one."""
DEFAULT: Final = "default"
_MEBIBYTE: Final = 1024 * 1024


def _listed(value: object) -> object:
    """Return what an environment variable lists, with commas or as JSON."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return _from_json(value)
    return [part.strip() for part in value.split(",") if part.strip()]


def _spelled(value: object) -> object:
    """Return a path as it was written: the slash at its end says that it names a folder."""
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _from_json(value: object) -> object:
    """Return what an environment variable holds as JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        message = "must be JSON"
        raise ValueError(message) from None


Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Place = Annotated[str, BeforeValidator(_spelled), Field(min_length=1)]
Names = Annotated[frozenset[str], BeforeValidator(_listed)]
Texts = Annotated[dict[str, str], BeforeValidator(_from_json)]


class Settings(BaseModel):
    """Where the ledger is, which DokStamp it serves, and every rule an operator may set."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    ledger_database: str = Field("sqlite+aiosqlite:///dokstamp-ledger.db", repr=False)
    ledger_key_file: Path | None = None
    ledger_key: Secret = Secret("")
    ledger_key_next: Secret = Secret("")
    durability: Durability = "full"

    checkpoints: Place | None = None
    """Where `run` and `sync` publish tree heads; a folder's name may end in a slash."""
    checkpoint_seconds: Seconds = 3600.0

    base_url: str = "https://api.dokstamp.com"
    auth_mode: AuthMode = AuthMode.CLIENT_CREDENTIALS
    client_id: str = ""
    client_secret: Secret = Secret("")
    client_scope: str = ""
    email: str = Field("", repr=False)
    password: Secret = Secret("")
    tenant: str = ""
    proxy_from_environment: bool = False

    concurrency_max: int = Field(8, ge=1, le=256)
    requests_per_second_max: float = Field(10.0, ge=0, allow_inf_nan=False)
    connect_timeout_seconds: Seconds = 10.0
    request_timeout_seconds: Seconds = 30.0
    upload_timeout_seconds: Seconds = 120.0
    lease_seconds: Annotated[Seconds, Field(validate_default=True)] = 60.0
    circuit_probe_seconds: Seconds = 5.0
    settle_seconds: float = Field(30.0, ge=0, le=86_400, allow_inf_nan=False, validate_default=True)
    patience_seconds: float = Field(60.0, ge=0, allow_inf_nan=False)

    issue_certificates: bool = True
    issue_style: IssueStyle = IssueStyle.BOTH
    issue_polls_max: int = Field(5, ge=1, le=1_000)
    issue_poll_seconds: Seconds = 24.0
    institutions: Institutions = Institutions.CREATE
    delete_policy: DeletePolicy = DeletePolicy.ARCHIVE_ONLY
    delete_pause_seconds: Seconds = 30.0
    reattach_on_change: bool = True
    revocation_texts: Texts = Field(default_factory=lambda: dict(REVOCATION_TEXTS))
    mass_change_percent: int = Field(20, ge=0, le=100)
    mass_change_floor: int = Field(25, ge=0)
    page_size: int = Field(50, ge=1, le=100)
    upload_bytes_max: int = Field(10 * _MEBIBYTE, ge=1, le=100 * _MEBIBYTE)

    shared_sources: Names = frozenset()
    allow_email_ids: bool = False
    country: str | None = Field(None, min_length=1, max_length=255)
    date_order: DateOrder | None = None

    _origins: dict[str, str] = PrivateAttr(default_factory=dict)

    @classmethod
    def load(
        cls,
        config_file: Path | None = None,
        environment: Mapping[str, str] = os.environ,
        **values: Any,  # noqa: ANN401 - checked one by one below
    ) -> Self:
        """Return the settings from every source; names all that is wrong in one error."""
        given, faults = gather(
            frozenset(cls.model_fields), config_file=config_file, environment=environment,
            values=values,
        )  # fmt: skip
        try:
            settings = cls.model_validate({name: each.value for name, each in given.items()})
        except ValidationError as error:
            faults += [_fault(each["loc"], each["msg"], given) for each in error.errors()]
        if faults:
            raise ConfigurationError("\n".join(faults))
        settings._origins.update({name: each.origin for name, each in given.items()})  # noqa: SLF001
        return settings

    @field_validator("ledger_database")
    @classmethod
    def _check_database(cls, address: str) -> str:
        database_place(address)
        return address

    @field_validator("ledger_key", "ledger_key_next")
    @classmethod
    def _check_key(cls, key: Secret, info: ValidationInfo) -> Secret:
        master_key(key)
        if info.field_name == "ledger_key_next" and key and not info.data.get("ledger_key"):
            message = "needs LEDGER_KEY, the key that it follows; a key file is rotated without it"
            raise ValueError(message)
        return key

    @field_validator("base_url")
    @classmethod
    def _check_base_url(cls, address: str) -> str:
        if not address.startswith(("http://", "https://")):
            message = "must be an address such as https://api.dokstamp.com"
            raise ValueError(message)
        return address.strip().rstrip("/")

    @field_validator("revocation_texts")
    @classmethod
    def _complete_texts(cls, texts: dict[str, str]) -> dict[str, str]:
        unknown = sorted(texts.keys() - REVOCATION_TEXTS.keys())
        if unknown:
            message = f"must give texts for these reasons only: {', '.join(REVOCATION_TEXTS)}"
            raise ValueError(message)
        return {**REVOCATION_TEXTS, **texts}

    @field_validator("lease_seconds")
    @classmethod
    def _outlast_request(cls, seconds: float, info: ValidationInfo) -> float:
        # Uploads take longer than a lease: its holder renews it before and meanwhile.
        timeout: float = info.data.get("request_timeout_seconds", 0.0)
        return max(seconds, timeout + min(LEASE_MARGIN_SECONDS, timeout))

    @field_validator("settle_seconds")
    @classmethod
    def _check_settle_window(cls, seconds: float, info: ValidationInfo) -> float:
        timeout: float = info.data.get("request_timeout_seconds", 0.0)
        base_url: str = info.data.get("base_url", "")
        check_settle_window(seconds, request_timeout_seconds=timeout, base_url=base_url)
        return seconds

    @property
    def address(self) -> Address:
        """Where the ledger lives."""
        place = database_place(self.ledger_database)
        # A server has no folder to keep it in: it is looked for where the program runs.
        beside = place if isinstance(place, Path) else Path(KEY_FILE)
        key_file = self.ledger_key_file or beside.with_name(KEY_FILE)
        return Address(place, key_file, self.durability, self.key_source)

    @property
    def key_source(self) -> KeySource:
        """Where the master key comes from, unless the host hands it over."""
        return KeySource(master_key(self.ledger_key), master_key(self.ledger_key_next))

    def origin(self, name: str) -> str:
        """Return where a setting's value comes from."""
        known = self._origins.get(name)
        return known or ("given" if name in self.model_fields_set else DEFAULT)

    def rules(self) -> Rules:
        """Return what procedures decide by."""
        return Rules(
            institutions=self.institutions,
            issue_style=self.issue_style,
            issue_certificates=self.issue_certificates,
            issue_polls_max=self.issue_polls_max,
            issue_poll_seconds=self.issue_poll_seconds,
            delete_policy=self.delete_policy,
            delete_pause_seconds=self.delete_pause_seconds,
            reattach_on_change=self.reattach_on_change,
            settle_seconds=self.settle_seconds,
            page_size=self.page_size,
            upload_bytes_max=self.upload_bytes_max,
            revocation_texts=self.revocation_texts,
        )

    def guard(self) -> GuardTerms:
        """Return how much of an entity one run may change without a person."""
        return GuardTerms(percent=self.mass_change_percent, floor=self.mass_change_floor)

    def intake(self) -> IntakeRules:
        """Return what decides which source events may come in."""
        return IntakeRules(
            upload_bytes_max=self.upload_bytes_max, allow_email_ids=self.allow_email_ids
        )

    def oneroster(self) -> Options:
        """Return what a OneRoster package cannot say itself."""
        return Options(country=self.country, date_order=self.date_order)

    def connection(self) -> Connection:
        """Return who asks which DokStamp; raises ConfigurationError while something is missing."""
        needed = {"tenant": self.tenant, **_needed(self)}
        missing = [f"DOKSTAMP_{name.upper()}" for name, value in needed.items() if not value]
        if missing:
            message = (
                f"DokStamp cannot be reached without a tenant and credentials: set {_all(missing)}"
            )
            raise ConfigurationError(message)
        return Connection(
            self.base_url,
            self.tenant,
            self._credentials(),
            request_timeout_seconds=self.request_timeout_seconds,
            upload_timeout_seconds=self.upload_timeout_seconds,
            connect_timeout_seconds=self.connect_timeout_seconds,
            connections_max=self.concurrency_max,
            trust_env=self.proxy_from_environment,
        )

    def _credentials(self) -> Credentials:
        if self.auth_mode is AuthMode.LOGIN:
            return Login(self.email, self.password.reveal())
        return ClientCredentials(self.client_id, self.client_secret.reveal(), self.client_scope)


def _needed(settings: Settings) -> dict[str, object]:
    if settings.auth_mode is AuthMode.LOGIN:
        return {"email": settings.email, "password": settings.password}
    return {"client_id": settings.client_id, "client_secret": settings.client_secret}


def _all(names: list[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _fault(location: tuple[int | str, ...], message: str, given: Mapping[str, Given]) -> str:
    name = str(location[0])
    expected = message.removeprefix("Value error, ")
    for said in ("Input should ", "String should "):
        expected = expected.replace(said, "must ", 1)
    origin = given[name].origin if name in given else DEFAULT
    return f"{name.upper()} ({origin}): {expected}"
