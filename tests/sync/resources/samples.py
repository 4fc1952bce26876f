"""Random valid data of every entity, and rows as DokStamp would show them.

Written from the contract alone, beside the code under test: nothing here reads its field tables.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from ledger.reference import Json, SourceRef, TargetId

UPSERTED = (
    "institution",
    "organization",
    "course",
    "module",
    "module_group",
    "course_module",
    "cohort",
    "student",
    "enrollment",
)
EVENT_TYPE = {entity: f"{entity}.upserted" for entity in UPSERTED} | {
    "certificate": "certificate.requested"
}
NAMED = {
    "institution_id": "institution",
    "organization_id": "organization",
    "course_id": "course",
    "module_id": "module",
    "module_group_id": "module_group",
    "cohort_id": "cohort",
    "student_id": "student",
    "enrollment_id": "enrollment",
}
REMOTE = {f"{entity}_id": f"{entity}_uuid" for entity in NAMED.values()} | {
    "module_id": "uuid",
    "module_group_id": "course_module_group_uuid",
}
DATES = {"enrolled_at", "completed_at"}
DATETIMES = {"start_date", "end_date", "issued_at"}

words = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=40).filter(
    lambda text: text.strip() != ""
)
ids = st.text("ABCdef0123-/ é", min_size=1, max_size=12).filter(lambda text: text == text.strip())
hours = st.integers(0, 5000)
flags = st.booleans()
days = st.dates().map(lambda day: day.isoformat())
zones = st.sampled_from(["Z", "z", "+00:00", "-03:00", "+05:30"])
clocks = st.times().map(lambda time: time.isoformat(timespec="microseconds"))
years = st.integers(1990, 2090)
moments = st.one_of(
    days,
    st.builds("{}-06-15T{}{}".format, years, clocks, zones),
    st.builds("{}-01-01".format, years),
)
hundredths = st.integers(0, 1000).map(lambda number: Decimal(number) / 100)
grades = st.one_of(st.integers(0, 10), hundredths, hundredths.map(str))
emails = st.from_regex(r"[A-Za-z0-9+]{1,20}@[a-z0-9]{1,10}\.example\.(edu|EDU)", fullmatch=True)
documents = st.binary(min_size=32, max_size=32).map(lambda digest: {"sha256": digest.hex()})


def _data(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    nullable = {name: st.none() | strategy for name, strategy in optional.items()}
    return st.fixed_dictionaries(required, optional=nullable)


def _finished(data: dict[str, Any]) -> dict[str, Any]:
    if data.get("completed_at") or data.get("completion_status") == "completed":
        data["completed_at"] = max(data["enrolled_at"], data.get("completed_at") or "")
    return data


def choice(*options: str) -> st.SearchStrategy[str]:
    return st.sampled_from(options)


RAW: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "institution": _data(
        {"name": words, "country": words},
        {
            "legal_name": words,
            "tax_id": words,
            "website": st.just("https://www.example.edu/a?b=c"),
            "status": choice("active", "inactive"),
        },
    ),
    "organization": _data({"institution_id": ids, "name": words}, {"code": words}),
    "course": _data(
        {"institution_id": ids, "name": words},
        {
            "code": words,
            "description": words,
            "workload_hours": hours,
            "area": words,
            "version": words,
            "status": choice("draft", "active", "archived"),
            "organization_id": ids,
        },
    ),
    "module": _data(
        {"institution_id": ids, "name": words},
        {
            "code": st.text("ABC123", min_size=1, max_size=20),
            "description": words,
            "syllabus": words,
            "workload": hours,
            "credits": hours,
            "modality": choice("in_person", "online", "hybrid"),
            "level": choice("undergraduate", "graduate", "technical", "open"),
            "is_active": flags,
            "is_required": flags,
        },
    ),
    "module_group": _data({"course_id": ids, "name": words}, {"order": hours, "is_active": flags}),
    "course_module": _data(
        {"course_id": ids, "module_id": ids},
        {"order": hours, "is_required": flags, "workload": hours, "module_group_id": ids},
    ),
    "cohort": _data(
        {"course_id": ids, "code": words},
        {
            "modality": choice("presential", "remote", "hybrid"),
            "start_date": moments,
            "end_date": moments,
        },
    ),
    "student": _data(
        {"name": words, "email": emails, "date_of_birth": days},
        {"gender": words, "social_name": words},
    ),
    "enrollment": _data(
        {"student_id": ids, "course_id": ids, "enrolled_at": days},
        {
            "cohort_id": ids,
            "completion_status": choice("enrolled", "completed", "dropped"),
            "grade": grades,
            "completed_at": days,
        },
    ).map(_finished),
    "certificate": _data(
        {"institution_id": ids, "course_id": ids, "student_id": ids, "document": documents},
        {"cohort_id": ids, "enrollment_id": ids, "template_uuid": ids, "issued_at": moments},
    ),
}


def targets_of(data: Mapping[str, Json]) -> dict[SourceRef, TargetId]:
    """Return a uuid for every record that the data name, in lower case."""
    named = [(NAMED[name], value) for name, value in data.items() if name in NAMED]
    return {
        SourceRef(entity, str(value)): TargetId(f"{entity.replace('_', '')}-{str(value).lower()}")
        for entity, value in named
    }


@st.composite
def rows(draw: st.DrawFn, data: Mapping[str, Json], names: tuple[str, ...]) -> dict[str, Any]:
    """Return the data as a row that says the same in one of DokStamp's ways."""
    row: dict[str, Any] = {"uuid": "0b9d", "created_at": "2026-01-01T00:00:00.000000Z", "x": [1]}
    targets = targets_of(data)
    for name in names:
        remote = REMOTE.get(name, name)
        value = data.get(name)
        if value is None:
            nested_name = remote.removesuffix("_uuid")
            row.update(draw(st.sampled_from([{}, {remote: None}, {nested_name: None}])))
        elif name in NAMED:
            target = targets[SourceRef(NAMED[name], str(value))]
            uuid = draw(st.sampled_from([target, target.upper()]))
            nested = {remote.removesuffix("_uuid"): {"uuid": uuid, "name": "?"}}
            row.update({remote: uuid} if remote == "uuid" else draw(_either(nested, remote, uuid)))
        else:
            row[remote] = draw(_shown(name, value))
    return row


def _either(nested: dict[str, Any], remote: str, uuid: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.sampled_from([nested, {remote: uuid}])


def _shown(name: str, value: Json) -> st.SearchStrategy[Any]:
    text = str(value)
    if name in DATES:
        return st.sampled_from([text, f"{text}T00:00:00.000000Z", f"{text}T00:00:00Z"])
    if name in DATETIMES:
        whole = text.removesuffix("Z")
        return st.sampled_from([text, f"{whole}.000000Z", f"{whole}.000Z", f"{whole}+00:00"])
    if name == "grade":
        return st.sampled_from([float(text), text, f"{Decimal(text):.2f}", f"{Decimal(text):.3f}"])
    if name == "email":
        return st.sampled_from([text, text.lower(), f"{text} "])
    return st.just(value)
