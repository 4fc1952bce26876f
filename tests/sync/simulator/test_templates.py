"""Certificate templates."""

from tests.sync.simulator.practice import Practice


def test_a_template_shows_its_fields_and_defaults() -> None:
    practice = Practice()
    institution = practice.institution()

    uuid = practice.make(
        "/certificate-templates",
        name="Diploma",
        version="1.0",
        path="diploma.html",
        institution_uuid=institution,
        canva_config={"font": "serif"},
    )

    data = practice.get(f"/certificate-templates/{uuid}")["data"]
    assert (data["status"], data["is_default"], data["preview_image_path"]) == (
        "active",
        False,
        None,
    )
    assert data["canva_config"] == {"font": "serif"}
    assert data["institution"]["uuid"] == institution
