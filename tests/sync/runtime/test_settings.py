from pathlib import Path

import pytest

from sync.dispatcher.procedures.rules import DeletePolicy, IssueStyle, Rules
from sync.dokstamp.auth import ClientCredentials, Login
from sync.errors import ConfigurationError
from sync.projector.run_worker import GuardTerms
from sync.runtime.settings import Settings
from sync.sources.oneroster_dates import DateOrder

COMPLETE = {
    "DOKSTAMP_TENANT": "uni.example",
    "DOKSTAMP_CLIENT_ID": "ledger",
    "DOKSTAMP_CLIENT_SECRET": "open sesame",
}


def load(
    environment: dict[str, str] | None = None, config_file: Path | None = None, **values: object
) -> Settings:
    return Settings.load(config_file, environment or {}, **values)


def faults(
    environment: dict[str, str] | None = None, config_file: Path | None = None, **values: object
) -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        load(environment, config_file, **values)
    return str(raised.value).splitlines()


def config(folder: Path, text: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_any_source_everything_has_its_documented_default() -> None:
    settings = load()

    assert settings.address.place == Path("dokstamp-ledger.db")
    assert settings.address.key_file == Path("dokstamp-ledger.key")
    assert settings.address.durability == "full"
    assert settings.base_url == "https://api.dokstamp.com"
    assert (settings.concurrency_max, settings.requests_per_second_max) == (8, 10)
    assert (settings.request_timeout_seconds, settings.upload_timeout_seconds) == (30, 120)
    assert (settings.lease_seconds, settings.settle_seconds) == (60, 30)
    assert settings.patience_seconds == 60
    assert settings.rules() == Rules()
    assert settings.guard() == GuardTerms()
    assert settings.origin("page_size") == "default"


def test_the_stronger_source_wins_and_is_named(tmp_path: Path) -> None:
    path = config(tmp_path, 'page_size = 10\nconcurrency_max = 2\ntenant = "file.example"\n')
    environment = {"DOKSTAMP_CONCURRENCY_MAX": "3", "DOKSTAMP_TENANT": "shell.example"}

    settings = load(environment, path, tenant="host.example")

    assert (settings.page_size, settings.concurrency_max) == (10, 3)
    assert settings.tenant == "host.example"
    assert settings.origin("page_size") == str(path)
    assert settings.origin("concurrency_max") == "environment DOKSTAMP_CONCURRENCY_MAX"
    assert settings.origin("tenant") == "given"


def test_every_kind_of_value_can_be_said_in_the_environment() -> None:
    settings = load(
        {
            "DOKSTAMP_ISSUE_CERTIFICATES": "false",
            "DOKSTAMP_ISSUE_STYLE": "finish",
            "DOKSTAMP_DELETE_POLICY": "checked_delete",
            "DOKSTAMP_SHARED_SOURCES": "urn:sis, urn:hr",
            "DOKSTAMP_REVOCATION_TEXTS": '{"withdrawn": "Withdrawn."}',
            "DOKSTAMP_REQUESTS_PER_SECOND_MAX": "0",
            "DOKSTAMP_DATE_ORDER": "day_first",
            "DOKSTAMP_COUNTRY": "Brazil",
        }
    )

    rules = settings.rules()
    assert rules.issue_certificates is False
    assert rules.issue_style is IssueStyle.FINISH
    assert rules.delete_policy is DeletePolicy.CHECKED_DELETE
    assert rules.revocation_texts["withdrawn"] == "Withdrawn."
    assert rules.revocation_texts["superseded"] == Rules().revocation_texts["superseded"]
    assert settings.shared_sources == {"urn:sis", "urn:hr"}
    assert settings.requests_per_second_max == 0
    assert settings.oneroster().date_order is DateOrder.DAY_FIRST
    assert settings.oneroster().country == "Brazil"


def test_an_empty_variable_is_not_set() -> None:
    assert load({"DOKSTAMP_PAGE_SIZE": ""}).page_size == 50


@pytest.mark.parametrize(
    ("database", "path"),
    [
        ("sqlite+aiosqlite:///uni.db", "uni.db"),
        ("sqlite+aiosqlite:////var/lib/uni.db", "/var/lib/uni.db"),
        ("sqlite:///data/uni.db", "data/uni.db"),
        ("data/uni.db", "data/uni.db"),
    ],
)
def test_the_key_file_lies_beside_the_database(database: str, path: str) -> None:
    address = load(ledger_database=database).address

    assert address.place == Path(path)
    assert address.key_file == Path(path).with_name("dokstamp-ledger.key")


@pytest.mark.parametrize(
    "database", ["", "sqlite://", "sqlite:///", "sqlite:///:memory:", "mysql://host/uni", "data/"]
)
def test_a_database_that_is_no_file_is_refused(database: str) -> None:
    (fault,) = faults(ledger_database=database)

    assert fault.startswith("LEDGER_DATABASE (given): must name a file, as in sqlite+aiosqlite:///")


def test_a_server_that_is_named_badly_is_refused_without_showing_its_password() -> None:
    (fault,) = faults(ledger_database="postgresql+asyncpg://uni:hush@host/uni?sslkey=x")

    assert "of options only host, port, schema, ssl, sslmode" in fault
    assert "hush" not in fault


def test_every_fault_is_told_at_once_with_setting_origin_and_what_is_expected(
    tmp_path: Path,
) -> None:
    path = config(tmp_path, 'page_size = "many"\n')
    environment = {
        "DOKSTAMP_CONCURRENCY_MAX": "0",
        "DOKSTAMP_ISSUE_STYLE": "twice",
        "DOKSTAMP_BASE_URL": "api.dokstamp.com",
        "DOKSTAMP_REVOCATION_TEXTS": "{",
    }

    found = faults(environment, path, country="", mass_change_percent=101)
    origin = "environment DOKSTAMP_"

    assert sorted(found) == [
        f"BASE_URL ({origin}BASE_URL): must be an address such as https://api.dokstamp.com",
        f"CONCURRENCY_MAX ({origin}CONCURRENCY_MAX): must be greater than or equal to 1",
        "COUNTRY (given): must have at least 1 character",
        "ISSUE_STYLE (environment DOKSTAMP_ISSUE_STYLE): must be 'both', 'finish' or 'status'",
        "MASS_CHANGE_PERCENT (given): must be less than or equal to 100",
        f"PAGE_SIZE ({path}): must be a valid integer, unable to parse string as an integer",
        "REVOCATION_TEXTS (environment DOKSTAMP_REVOCATION_TEXTS): must be JSON",
    ]


def test_an_unknown_setting_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    path = config(tmp_path, 'tenants = "uni.example"\n')
    origin = "environment DOKSTAMP_CONCURENCY_MAX"

    found = faults({"DOKSTAMP_CONCURENCY_MAX": "3"}, path, zebra=1)

    assert found == [
        f"TENANTS ({path}): there is no such setting; did you mean TENANT?",
        f"CONCURENCY_MAX ({origin}): there is no such setting; did you mean CONCURRENCY_MAX?",
        "ZEBRA (given): there is no such setting; `config show` lists every one",
    ]


def test_a_lease_outlasts_a_request() -> None:
    slow = {
        "DOKSTAMP_REQUEST_TIMEOUT_SECONDS": "90",
        "DOKSTAMP_SETTLE_SECONDS": "90",
    }

    assert load(slow, lease_seconds=10).lease_seconds == 105
    assert load(slow).lease_seconds == 105
    assert load(lease_seconds=200).lease_seconds == 200
    assert load(request_timeout_seconds=2, lease_seconds=1).lease_seconds == 4


def test_a_settle_window_shorter_than_a_request_is_refused_wherever_either_comes_from() -> None:
    [short] = faults({"DOKSTAMP_SETTLE_SECONDS": "5"})
    slow = faults(request_timeout_seconds=90)

    assert short == (
        "SETTLE_SECONDS (environment DOKSTAMP_SETTLE_SECONDS): must be at least "
        "REQUEST_TIMEOUT_SECONDS (30), because a request may take effect for as long as its "
        "answer is waited for; set SETTLE_SECONDS to 30 or more, or lower "
        "REQUEST_TIMEOUT_SECONDS to 5 or less"
    )
    assert [each.partition(",")[0] for each in slow] == [
        "SETTLE_SECONDS (default): must be at least REQUEST_TIMEOUT_SECONDS (90)"
    ]


def test_a_practice_service_on_this_machine_may_have_a_short_settle_window() -> None:
    assert load(base_url="http://127.0.0.1:9", settle_seconds=0.1).settle_seconds == 0.1


def test_a_wrong_time_out_is_the_only_fault_where_it_is_the_only_one() -> None:
    assert [each.split()[0] for each in faults(request_timeout_seconds="soon")] == [
        "REQUEST_TIMEOUT_SECONDS"
    ]


def test_a_secret_never_shows_itself() -> None:
    settings = load(COMPLETE | {"DOKSTAMP_PASSWORD": "let me in"})

    shown = f"{settings!r} {settings} {settings.client_secret} {settings.connection()!r}"
    assert "open sesame" not in shown
    assert "let me in" not in shown
    assert repr(settings.client_secret) == "********"
    assert settings.client_secret.reveal() == "open sesame"


def test_a_secret_of_the_wrong_type_is_not_quoted() -> None:
    assert faults(client_secret=314159) == ["CLIENT_SECRET (given): must be text"]


def test_a_secret_can_lie_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("open sesame\n", encoding="utf-8")

    settings = load({"DOKSTAMP_CLIENT_SECRET_FILE": str(secret)})

    assert settings.client_secret.reveal() == "open sesame"
    assert settings.origin("client_secret") == (
        f"environment DOKSTAMP_CLIENT_SECRET_FILE ({secret})"
    )


def test_a_secret_file_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    (fault,) = faults({"DOKSTAMP_PASSWORD_FILE": str(tmp_path / "missing")})

    assert fault == (
        "PASSWORD_FILE (environment DOKSTAMP_PASSWORD_FILE): "
        "must name a readable text file that holds the secret and nothing else"
    )


def test_a_secret_given_twice_in_one_source_is_a_fault(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("one", encoding="utf-8")
    environment = {"DOKSTAMP_PASSWORD": "two", "DOKSTAMP_PASSWORD_FILE": str(secret)}

    (fault,) = faults(environment)

    assert fault.endswith("set one of PASSWORD and PASSWORD_FILE, not both")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('client_secret = "hush', "is not valid TOML: look at its end"),
        ("password = hush\n", "is not valid TOML: look at line 1, column 12"),
    ],
)
def test_a_config_file_that_is_no_toml_is_not_quoted(
    tmp_path: Path, text: str, expected: str
) -> None:
    path = config(tmp_path, text)

    (fault,) = faults(config_file=path)

    assert fault.startswith(f"{path}: is not valid TOML: look ")
    assert expected.partition(":")[0] in fault
    assert "hush" not in fault


def test_a_named_config_file_must_be_there(tmp_path: Path) -> None:
    path = tmp_path / "missing.toml"

    assert faults(config_file=path) == [
        f"{path}: cannot be read (No such file or directory); name another with --config"
    ]


def test_credentials_follow_the_way_in() -> None:
    newer = load(COMPLETE).connection()
    older = load(tenant="uni.example", auth_mode="login", email="a@b.example", password="x")

    assert newer.credentials == ClientCredentials("ledger", "open sesame")
    assert older.connection().credentials == Login("a@b.example", "x")


def test_what_is_missing_to_connect_is_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as raised:
        load().connection()

    assert str(raised.value) == (
        "DokStamp cannot be reached without a tenant and credentials: "
        "set DOKSTAMP_TENANT, DOKSTAMP_CLIENT_ID and DOKSTAMP_CLIENT_SECRET"
    )
