"""One vocabulary of views for headers and manifests."""

import pytest
from pydicom.sr._cid_dict import cid_concepts
from pydicom.sr._concepts_dict import concepts
from pydicom.sr._snomed_dict import mapping

from covid_cxr.radiographs.views import (
    AP,
    DECUBITUS,
    FRONTAL,
    LATERAL,
    NOT_STATED,
    NOT_UNDERSTOOD,
    OBLIQUE,
    PA,
    read_orientation,
    read_view,
    read_view_code,
)

WRITTEN = {
    PA: "PA|pa|P.A.|P-A|Postero-anterior|Posteroanterior|PA erect|postéro-antérieur",
    AP: "AP|AP Supine|APS|AP Erect|A/P|anteroposterior|AP decúbito supino|AP portable|"
    "décubitus dorsal|antéro-postérieur|antero-posteriore|ventrodorsal",
    FRONTAL: "FRONTAL|frontale|de face|Frente",
    LATERAL: "L|LL|RL|LLAT|RLAT|LAT|LATERAL|LEFT LATERAL|Lateral view|XTABLE LATERAL|"
    "X-table|cross-table|LATERAL L|PROFIL|Profil gauche|perfil|Lateral izquierda|"
    "seitlich|latérale|laterolaterale|LATEROLATERAL|PA LATERAL",
    OBLIQUE: "LLO|RLO|LPO|RPO|LAO|RAO|OBL|OBLIQUE|oblicua|oblíqua|schräg|PA OBLIQUE",
    DECUBITUS: "LLD|RLD|DECUBITUS|decúbito lateral|AP LLD|Left lateral decubitus",
    NOT_STATED: "| |unknown|N/A|NA|not stated",
    NOT_UNDERSTOOD: "COSTAL|Apex|Doe^Jane|PA AP|3|Lordotica",
}


@pytest.mark.parametrize(
    ("view", "text"),
    [(view, text) for view, texts in WRITTEN.items() for text in texts.split("|")],
)
def test_a_view_is_understood_as_hospitals_write_it(view, text):
    assert read_view(text) == view


def coded():
    """Yield codes and meanings of CID 4010, as pydicom has them."""
    for name in cid_concepts[4010]["SCT"]:
        for code, (meaning, _) in concepts["SCT"][name].items():
            yield code, meaning
            if code in mapping["SCT"]:
                yield mapping["SCT"][code], meaning


@pytest.mark.parametrize(("code", "meaning"), list(coded()))
def test_lateral_and_oblique_codes_are_those_of_the_standard(code, meaning):
    view = read_view_code(code, "")

    words = meaning.lower().replace("-", " ").split()
    if "oblique" in words:
        assert view in {OBLIQUE, NOT_STATED}
        assert view == OBLIQUE or {"axial", "cranio", "caudo", "latero", "medio"} & {
            *words
        }
    elif {"lateral", "sagittal"} & {*words}:
        assert view == LATERAL
    else:
        assert view in {PA, AP, NOT_STATED}


@pytest.mark.parametrize(
    ("row", "view"),
    [
        ("L", NOT_STATED),
        ("R", NOT_STATED),
        ("A", LATERAL),
        ("P", LATERAL),
        ("AF", LATERAL),
        ("AL", OBLIQUE),
        ("PR", OBLIQUE),
        ("", NOT_STATED),
    ],
)
def test_rows_that_run_from_front_to_back_are_of_a_lateral(row, view):
    assert read_orientation(row) == view
