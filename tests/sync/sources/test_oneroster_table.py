import pytest

from sync.sources.oneroster_table import columns, file_key, missing_columns, row_of


@pytest.mark.parametrize(
    "name", ["academicSessions.csv", "a/Academic_Sessions.CSV", "academic sessions.csv"]
)
def test_a_file_is_known_however_its_name_is_spelled(name: str) -> None:
    assert file_key(name) == "academicsessions"


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("sourcedId", "sourcedid"),
        ("SourceId", "sourcedid"),
        ("\ufeffsourcedId", "sourcedid"),
        (" Class Sourced ID ", "classsourcedid"),
        ("dataLastModified", "datelastmodified"),
        ("sessionSourcedIds", "termsourcedids"),
    ],
)
def test_a_column_is_known_however_its_header_is_spelled(header: str, column: str) -> None:
    assert columns([header]) == (column,)


def test_passwords_unnamed_and_repeated_columns_are_never_kept() -> None:
    names = columns(["sourcedId", "password", "Pass Word", "", "", "role", "role"])

    assert names == ("sourcedid", None, None, None, None, "role", None)


def test_a_short_row_is_blank_at_its_end_and_a_long_one_cannot_be_trusted() -> None:
    names = columns(["sourcedId", "role", "grade"])

    short = row_of(names, [" U1 ", "student"])

    assert short is not None
    assert (short["sourcedid"], short["role"], short["grade"], short["x"]) == (
        "U1",
        "student",
        "",
        "",
    )
    assert row_of(names, ["U1", "student", "10", " ", ""]) is not None
    assert row_of(names, ["U1", "student", "10", "s3cret"]) is None
    assert "U1" not in repr(short)


def test_a_file_needs_the_columns_that_give_its_rows_a_meaning() -> None:
    assert missing_columns("enrollments", ["sourcedid"]) == ("classsourcedid", "usersourcedid")
    assert missing_columns("orgs", ["sourcedid", None]) == ()
    assert missing_columns("userflags", []) == ()
