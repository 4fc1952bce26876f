"""Every point on which the service's documentation is silent, as a switch with its answers."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace

from sync.errors import InputError
from sync.simulator.faults import parse_faults

# A switch that takes a number lists this text among its alternatives; the pattern decides.
_NUMBER_PATTERNS = {
    "issue_async_s": re.compile(r"\d{1,6}(\.\d{1,3})?"),
    "rate_limit": re.compile(r"off|[1-9]\d{0,6}(_told)?(_silent)?"),
}


def _switch(default: str, *alternatives: str) -> str:
    return field(default=default, metadata={"alternatives": (default, *alternatives)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """The positions of all switches; the defaults are the documented or likeliest behaviour."""

    edition: str = _switch("new", "old", "mixed")
    missing_tenant: str = _switch("401", "404", "per_endpoint")
    missing_accept: str = _switch("redirect", "json")
    meta_style: str = _switch("three_fields", "laravel")
    per_page_max: str = _switch("100", "15", "422")
    page_param: str = _switch("honoured", "ignored")
    nested_lists: str = _switch("paginated", "all")
    unknown_filter: str = _switch("ignored", "422", "500")
    filter_case: str = _switch("ignored", "exact")
    default_order: str = _switch("creation", "shuffled")
    delete_with_dependants: str = _switch("500", "409", "422", "204")
    unique_counts_deleted: str = _switch("yes", "no")
    get_deleted: str = _switch("404", "200")
    course_code_unique: str = _switch("no", "institution", "tenant")
    cohort_code_scope: str = _switch("tenant", "course")
    enrollment_unique: str = _switch("no", "student_course", "student_course_cohort")
    certificate_unique: str = _switch("no", "student_course")
    attach_batch: str = _switch("all_or_nothing", "partial_422", "partial_200")
    attach_status: str = _switch("200", "201", "204")
    write_status: str = _switch("listed", "200")
    attachable_hides_inactive: str = _switch("no", "yes")
    issue_async_s: str = _switch("0", "2")
    issue_fields: str = _switch("either", "finish", "status", "finish_strict", "status_strict")
    file_used_status: str = _switch("422", "409", "400")
    dedup_scope: str = _switch("tenant", "none")
    dedup_of_deleted: str = _switch("hidden", "new")
    double_revoke: str = _switch("422", "200_unchanged", "200_new_time")
    grade_max: str = _switch("10", "none")
    reference_consistency: str = _switch("not_checked", "422")
    grade_type: str = _switch("number", "string")
    me_for_service_token: str = _switch("401", "200")
    rate_limit: str = _switch("off", "60", "60_silent")
    fault_injection: str = _switch(
        "off", "error_before:nth=1", "error_after:nth=1", "cut_after:nth=1", "stall_after:nth=1"
    )
    patch_put: str = _switch("partial", "put_clears")

    def __post_init__(self) -> None:
        for name, positions in alternatives().items():
            _check(name, getattr(self, name), positions=positions)

    @property
    def issue_seconds(self) -> float:
        """Return how long a certificate stays a draft while it is being issued."""
        return float(self.issue_async_s)

    @property
    def requests_per_minute(self) -> int | None:
        """Return the rate limit, or none."""
        limit = self.rate_limit.partition("_")[0]
        return None if limit == "off" else int(limit)

    @property
    def is_limit_told(self) -> bool:
        """Tell whether every answer says what the rate limit is and what is left of it."""
        return "_told" in self.rate_limit

    @property
    def is_limit_silent(self) -> bool:
        """Tell whether a 429 says nothing of how long to wait."""
        return self.rate_limit.endswith("_silent")


def alternatives() -> dict[str, tuple[str, ...]]:
    """Return every switch with its positions, the default first.

    `issue_async_s` takes any number of seconds, `rate_limit` any `n` or `n_silent` per
    minute (`n_told` and `n_told_silent` with the limit in headers), and `fault_injection` any
    text that `parse_faults` reads.
    """
    return {item.name: tuple(item.metadata["alternatives"]) for item in fields(Switches)}


def parse_switches(texts: Iterable[str]) -> Switches:
    """Return the switches named by texts of the form `name=value`."""
    return change_switches(Switches(), dict(_split(text) for text in texts))


def change_switches(switches: Switches, positions: Mapping[str, object]) -> Switches:
    """Return the switches with some of them in another position."""
    known = alternatives()
    for name in positions:
        if name not in known:
            raise InputError(f"There is no switch {name!r}. Choose from: {', '.join(known)}.")
    return replace(switches, **{name: str(value) for name, value in positions.items()})


def _split(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise InputError(f"Write a switch as name=value, not {text!r}.")
    return name.strip(), value.strip()


def _check(name: str, value: str, *, positions: tuple[str, ...]) -> None:
    if name == "fault_injection":
        parse_faults(value)
        return
    pattern = _NUMBER_PATTERNS.get(name)
    is_allowed = pattern.fullmatch(value) if pattern else value in positions
    if not is_allowed:
        raise InputError(f"Switch {name} cannot be {value!r}. Choose from: {', '.join(positions)}.")
