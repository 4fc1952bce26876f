"""Institutions, organizations and the public badge issuer."""

from tests.sync.simulator.practice import Practice, decoded


def test_an_institution_shows_every_field_with_its_default() -> None:
    practice = Practice()

    data = practice.get(f"/institutions/{practice.institution()}")["data"]

    assert (data["status"], data["is_badges_enabled"], data["tax_id"]) == ("active", False, None)
    assert data["created_at"] == data["updated_at"] == "2026-01-01T00:00:00.000000Z"


def test_an_organization_with_courses_can_be_deleted() -> None:
    practice = Practice()
    institution = practice.institution()
    faculty = practice.make("/organizations", name="F", institution_uuid=institution, code="F1")
    practice.course(institution, organization_uuid=faculty)

    assert practice.call("DELETE", f"/organizations/{faculty}").status == 204


def test_the_badge_issuer_is_public_and_bare() -> None:
    practice = Practice()
    institution = practice.institution()

    response = practice.send("GET", f"/institutions/{institution}/badges/issuers")

    assert decoded(response)["type"] == "Issuer"
    assert "data" not in decoded(response)
    assert practice.send("GET", "/institutions/nobody/badges/issuers").status == 404
