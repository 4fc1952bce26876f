"""What happens at the simulated university: one table of actions, each a step of its history."""

from collections.abc import Callable
from typing import Final

from tests.simulation.workload import Record, Told, University, day_of, document


def found(university: University) -> None:
    """Tell of a small institution with a little of everything."""
    university.make("institution", "U-1", {"country": "Portugal", "tax_id": "PT-1"})
    for act in (_course, _module, _student):
        act(university)
    for act in (_course, _module, _student, _organization, _group, _attachment, _cohort):
        if university.chance(0.5):
            act(university)
    _enrollment(university)


def _organization(university: University) -> None:
    number = university.number("organization")
    data = {"institution_id": "U-1", "code": f"ORG{number}"}
    university.make("organization", f"O-{number}", data)


def _course(university: University) -> None:
    number = university.number("course")
    data = {"institution_id": "U-1", "code": f"CODE-C{number}", "workload_hours": 100 + number}
    organization = university.pick("organization")
    if organization is not None and university.chance(0.5):
        data["organization_id"] = organization.name[1]
    university.make("course", f"C-{number}", data)


def _module(university: University) -> None:
    number = university.number("module")
    data = {"institution_id": "U-1", "code": f"MOD{number}", "workload": 10 * number}
    university.make("module", f"M-{number}", data)


def _group(university: University) -> None:
    course = university.pick("course")
    if course is not None:
        number = university.number("module_group")
        data = {"course_id": course.name[1], "name": f"Group G-{number}"}
        university.make("module_group", f"G-{number}", data)


def _attachment(university: University) -> None:
    course, module = university.pick("course"), university.pick("module")
    if course is None or module is None:
        return
    pair = (course.name[1], module.name[1])
    taken = {
        (each.data["course_id"], each.data["module_id"])
        for each in university.records.values()
        if each.name[0] == "course_module"
    }
    if pair not in taken:
        number = university.number("course_module")
        data = {"course_id": pair[0], "module_id": pair[1], **_group_of(university, pair[0])}
        university.make("course_module", f"A-{number}", data)


def _group_of(university: University, course: str) -> dict[str, str]:
    group = university.pick("module_group")
    is_fit = group is not None and group.data["course_id"] == course and university.chance(0.6)
    return {"module_group_id": group.name[1]} if group is not None and is_fit else {}


def _cohort(university: University) -> None:
    course = university.pick("course")
    if course is not None:
        number = university.number("cohort")
        data = {"course_id": course.name[1], "code": f"K-{number}", "modality": "presential"}
        university.make("cohort", f"K-{number}", data)


def _student(university: University) -> None:
    number = university.number("student")
    data = {"email": f"s{number}@example.edu", "date_of_birth": day_of(-7000 + number)}
    university.make("student", f"S-{number}", data)


def _enrollment(university: University) -> None:
    student, course = university.pick("student"), university.pick("course")
    if student is None or course is None:
        return
    cohort = university.pick("cohort")
    fits = cohort is not None and cohort.data["course_id"] == course.name[1]
    key = (student.name[1], course.name[1], cohort.name[1] if cohort and fits else "")
    if key in _enrolled(university):
        return
    number = university.number("enrollment")
    data = {
        "student_id": key[0],
        "course_id": key[1],
        "enrolled_at": day_of(1000 + number),
        "completion_status": "enrolled",
        **({"cohort_id": key[2]} if key[2] else {}),
    }
    university.make("enrollment", f"E-{number}", data)


def _enrolled(university: University) -> set[tuple[str, str, str]]:
    return {
        (each.data["student_id"], each.data["course_id"], each.data.get("cohort_id", ""))
        for each in university.records.values()
        if each.name[0] == "enrollment"
    }


def _change(university: University) -> None:
    entity = university.choose(
        *("institution", "organization", "course", "course", "module", "module_group"),
        *("course_module", "course_module", "cohort", "student", "student", "enrollment"),
    )
    record = university.pick(entity)
    if record is None:
        return
    extra = {
        "course": {"description": university.choose(None, "Text", "More text")},
        "student": {"gender": university.choose(None, "female"), "social_name": None},
        "module": {"syllabus": university.choose(None, "Words")},
    }
    university.change(record, **extra.get(entity, {}))


def _tell_again(university: University) -> None:
    """Tell a state that was told before, under a new id."""
    record = university.pick(university.choose("course", "module", "student", "enrollment"))
    if record is not None:
        university.state(record)


def _new_address(university: University) -> None:
    student = university.pick("student")
    if student is not None:
        number = university.number("address")
        university.change(student, email=f"new{number}@example.edu")


def _hand_over(university: University) -> None:
    """Let a student get the address that another one gives up."""
    first, second = university.pick("student"), university.pick("student")
    if first is None or second is None or first is second:
        return
    address = first.data["email"]
    _bar(university)
    university.change(first, email=f"moved{university.number('moved')}@example.edu")
    _bar(university)
    university.change(second, email=address)
    _bar(university)


def _swap(university: University) -> None:
    first, second = university.pick("student"), university.pick("student")
    if first is None or second is None or first is second or not university.chance(0.3):
        return
    addresses = first.data["email"], second.data["email"]
    _bar(university)
    university.change(first, email=addresses[1])
    _bar(university)
    university.change(second, email=addresses[0])
    _bar(university)


def _bar(university: University) -> None:
    """Let nothing pass what was told last."""
    last = university.told[-1]
    university.told[-1] = Told(last.event)


def _remove(university: University) -> None:
    entity = university.choose(
        *("course", "module", "module_group", "course_module", "enrollment", "student"),
        *("cohort", "organization"),
    )
    record = university.pick(entity)
    is_certified = record is not None and record.name[1] in university.certified
    if record is not None and not (is_certified and university.chance(0.7)):
        university.remove(record)


def _return(university: University) -> None:
    entity = university.choose("course", "module", "module_group", "course_module", "student")
    record = university.pick(entity, removed=True)
    if record is not None:
        university.come_back(record)


def _move_attachment(university: University) -> None:
    record, course = university.pick("course_module"), university.pick("course")
    if record is None or course is None:
        return
    pair = (course.name[1], record.data["module_id"])
    others = [
        each
        for each in university.records.values()
        if each.name[0] == "course_module" and each is not record
    ]
    if pair not in {(each.data["course_id"], each.data["module_id"]) for each in others}:
        group = _group_of(university, pair[0]).get("module_group_id")
        university.change(record, course_id=pair[0], module_group_id=group)


def _complete(university: University) -> None:
    record = university.pick("enrollment")
    if record is not None:
        university.change(record, completion_status="completed", completed_at="2025-12-01")


def _certify(university: University) -> None:
    enrollment = university.pick("enrollment")
    if enrollment is None or enrollment.name[1] in university.certified:
        return
    if enrollment.data["completion_status"] != "completed":
        university.change(enrollment, completion_status="completed", completed_at="2025-12-01")
        _bar(university)
    if not _has_certificate(university, enrollment):
        _request(university, enrollment)


def _has_certificate(university: University, enrollment: Record) -> bool:
    key = (enrollment.data["student_id"], enrollment.data["course_id"])
    return any(
        (each.data["student_id"], each.data["course_id"]) == key and not each.is_removed
        for each in university.records.values()
        if each.name[0] == "certificate"
    )


def _request(university: University, enrollment: Record) -> None:
    subject = f"D-{university.number('certificate')}"
    data = {
        "institution_id": "U-1",
        "course_id": enrollment.data["course_id"],
        "student_id": enrollment.data["student_id"],
        "enrollment_id": enrollment.name[1],
        "issued_at": "2026-01-15T12:00:00Z",
        "document": document(subject),
    }
    if "cohort_id" in enrollment.data:
        data["cohort_id"] = enrollment.data["cohort_id"]
    university.records["certificate", subject] = Record(("certificate", subject), data)
    university.certified.add(enrollment.name[1])
    university.tell("certificate.requested", subject, data)


def _revoke(university: University) -> None:
    record = university.pick("certificate")
    if record is None:
        return
    record.is_removed = True
    data = {"reason_code": university.choose("issued_in_error", "data_correction")}
    university.tell("certificate.revoked", record.name[1], data)
    enrollment = university.records["enrollment", record.data["enrollment_id"]]
    if university.chance(0.6) and university.is_clear(enrollment) and not enrollment.is_removed:
        _request(university, enrollment)


def _request_again(university: University) -> None:
    record = university.pick("certificate")
    if record is not None:
        university.tell("certificate.requested", record.name[1], record.data)


Act = Callable[[University], None]
ACTIONS: Final[tuple[tuple[Act, float], ...]] = (
    (_change, 8),
    (_tell_again, 1),
    (_course, 0.5),
    (_module, 1),
    (_group, 1),
    (_attachment, 2),
    (_cohort, 1),
    (_student, 2),
    (_enrollment, 2),
    (_new_address, 1),
    (_hand_over, 0.7),
    (_swap, 0.4),
    (_remove, 3),
    (_return, 2),
    (_move_attachment, 1.5),
    (_complete, 2),
    (_certify, 4),
    (_revoke, 1.5),
    (_request_again, 0.7),
)
