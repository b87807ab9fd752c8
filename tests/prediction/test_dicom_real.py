"""DICOM results of real files: no error that the source does not have, too."""

import highdicom as hd
import pytest

from covid_cxr.prediction import NoResultsError, open_bundle, results_of
from covid_cxr.radiographs.files import read_header

pytestmark = pytest.mark.slow
PREDICTED = {"RG1_J2KI", "siim_cxr_jpeg"}
NO_UID = {"bad_sequence"}


def test_results_of_real_files_conform_as_their_sources_do(
    real_data, make_bundle, tmp_path, dicom_errors
):
    gate = {"refused_share": 0.01, "n_patients": 20, "limit": None}
    bundle = open_bundle(make_bundle(tmp_path / "bundle", gate=gate))
    files = sorted((real_data / "dicom").glob("*.dcm"))
    made = {}

    for file in files:
        (prediction,) = bundle.predictions([file])
        try:
            results = results_of(read_header(file), prediction, bundle)
        except NoResultsError:
            made[file.stem] = None
            continue
        made[file.stem] = [one.Modality for one in results]
        for one in results:
            place = tmp_path / f"{one.SOPInstanceUID}.dcm"
            one.save_as(place, enforce_file_format=True)
            assert set(dicom_errors(place)) <= set(dicom_errors(file)), file
        read = hd.sr.srread(tmp_path / f"{results[0].SOPInstanceUID}.dcm")
        (group,) = read.content.get_image_measurement_groups()
        said = {one.name.value: one.value for one in group.get_measurements()}
        assert said.get("score") == prediction.row.get("score")

    assert len(made) == 10
    assert {name for name, kinds in made.items() if kinds is None} == NO_UID
    assert {name for name, kinds in made.items() if kinds and len(kinds) == 3} == (
        PREDICTED
    )
