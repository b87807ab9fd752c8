"""Predictions as DICOM objects: conformant, of the same patient, the same each time."""

import re
import subprocess
import sys
from dataclasses import replace
from shutil import which

import cv2
import highdicom as hd
import numpy as np
import pydicom
import pytest
from pydicom import Dataset

from covid_cxr.prediction import NoResultsError, open_bundle, results_of
from covid_cxr.radiographs.dicom import render


@pytest.fixture
def predicted(bundle):
    """Return a function from a file to its prediction's row and DICOM results."""

    def predict(place, **options):
        (prediction,) = bundle.predictions([place], **options)
        source = pydicom.dcmread(place, stop_before_pixels=True)
        return prediction.row, results_of(source, prediction, bundle)

    return predict


def in_words(report):
    """Return name and value of each item that a report's measurement group holds."""
    read = hd.sr.ComprehensiveSR.from_dataset(report)
    (group,) = read.content.get_image_measurement_groups()
    numbers = {one.name.value: one.value for one in group.get_measurements()}
    codes = {
        one.name.value: one.value.meaning for one in group.get_qualitative_evaluations()
    }
    comments = [
        item.TextValue
        for item in group[0].ContentSequence
        if item.ConceptNameCodeSequence[0].CodeMeaning == "Comment"
    ]
    return numbers, codes, comments


def saved_at(dataset, folder):
    """Return the place of a file that holds a data set."""
    place = folder / f"{dataset.SOPInstanceUID}.dcm"
    dataset.save_as(place, enforce_file_format=True)
    return place


def saved(dataset, folder):
    """Return a data set as it is read from a file."""
    return pydicom.dcmread(saved_at(dataset, folder))


def test_a_report_says_what_the_table_says(
    predicted, radiograph, tmp_path, dicom_errors
):
    row, (report, *_) = predicted(radiograph(), prevalence=0.2)

    assert dicom_errors(saved_at(report, tmp_path)) == []
    numbers, codes, comments = in_words(saved(report, tmp_path))
    assert row["status"] == "predicted"
    assert numbers == {
        name: row[name]
        for name in ("score", "probability", "prevalence", "gate_distance")
    }
    assert codes == {
        "target": "COVID-19",
        "status": "Evaluated",
        "youden": row["youden"].capitalize(),
        "sensitivity": row["sensitivity"].capitalize(),
        "prediction_set": f"Cannot be ruled out: {row['prediction_set']}",
    }
    assert comments == ["Research only."]
    assert (report.VerificationFlag, report.PreliminaryFlag) == (
        "UNVERIFIED",
        "PRELIMINARY",
    )
    assert report.SeriesDescription.startswith("RESEARCH ONLY - not for diagnosis")


def test_a_refusal_is_a_report_without_a_number(
    predicted, radiograph, tmp_path, dicom_errors
):
    place = radiograph(ViewPosition="LL")
    row, results = predicted(place)

    assert row["status"] == "refused"
    (report,) = results
    assert dicom_errors(saved_at(report, tmp_path)) == []
    numbers, codes, comments = in_words(saved(report, tmp_path))
    assert numbers == {}
    assert codes == {"target": "COVID-19", "status": "Not evaluated"}
    assert comments == ["Research only.", f"not evaluated: {row['reason']}"]
    assert "lateral" in row["reason"]


@pytest.mark.parametrize("way", ["as stored", "window", "two windows", "table"])
def test_every_result_conforms_to_the_standard(
    predicted, radiograph, tmp_path, dicom_errors, way
):
    _, results = predicted(radiograph(**WINDOWS[way](8)))

    assert [one.Modality for one in results] == ["SR", "OT", "PR"]
    assert {one.Modality: dicom_errors(saved_at(one, tmp_path)) for one in results} == {
        "SR": [],
        "OT": [],
        "PR": [],
    }


def test_predicting_twice_gives_the_same_objects(predicted, radiograph):
    place = radiograph()

    first, second = (predicted(place)[1] for _ in range(2))

    for one, other in zip(first, second, strict=True):
        assert without_times(one) == without_times(other)
    uids = [uid for one in first for uid in (one.SOPInstanceUID, one.SeriesInstanceUID)]
    assert len(set(uids)) == 2 * len(first)
    assert all(pydicom.uid.UID(uid).is_valid for uid in uids)


def without_times(dataset):
    """Return a data set's JSON without when it was made."""
    elements = dataset.to_json_dict()
    for keyword in ("StudyTime", "StudyDate"):
        assert f"{pydicom.datadict.tag_for_keyword(keyword):08X}" in elements
    made = {
        "InstanceCreationDate",
        "InstanceCreationTime",
        "ContentDate",
        "ContentTime",
        "DateOfSecondaryCapture",
        "TimeOfSecondaryCapture",
        "PresentationCreationDate",
        "PresentationCreationTime",
        "ContributingEquipmentSequence",
    }
    return {
        tag: value
        for tag, value in elements.items()
        if pydicom.datadict.keyword_for_tag(int(tag, 16)) not in made
    }


def test_what_changes_a_result_changes_its_uid(
    bundle, write_bundle, radiograph, monkeypatch
):
    place, other_place = radiograph(), radiograph("other.dcm")
    whole = pydicom.dcmread(place)
    other_bundle = open_bundle(write_bundle("other", youngest_years=1.0))

    def uids(source, place, bundle, **options):
        (prediction,) = bundle.predictions([place], **options)
        return {one.SOPInstanceUID for one in results_of(source, prediction, bundle)}

    made = [
        uids(whole, place, bundle),
        uids(whole, place, bundle, prevalence=0.1),
        uids(whole, place, bundle, boxes={"chest.dcm": (2, 2, 60, 60)}),
        uids(pydicom.dcmread(other_place), other_place, bundle),
        uids(whole, place, other_bundle),
    ]
    monkeypatch.setattr(
        "covid_cxr.prediction.dicom_results.subject.__version__", "0.0.1"
    )
    made.append(uids(whole, place, bundle))  # which a report states

    assert len(set.union(*made)) == 3 * len(made)


def test_other_reasons_of_a_refusal_are_other_reports(bundle, radiograph):
    place = radiograph(ViewPosition="LL")
    (prediction,) = bundle.predictions([place])
    row = {**prediction.row, "reason": "no decoder installed"}
    refusals = prediction, replace(prediction, row=row)

    source = pydicom.dcmread(place)
    made = [results_of(source, one, bundle)[0].SOPInstanceUID for one in refusals]

    assert made[0] != made[1]


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("ISO_IR 100", "Müller^Jörg"),
        ("ISO_IR 192", "山田^太郎"),
        ("ISO_IR 144", "Иванов^Павел"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        (["ISO 2022 IR 6", "ISO 2022 IR 100"], "Müller^Jörg"),
        (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동"),
        ("GB18030", "Wang^XiaoDong=王^小东"),
        ("ISO_IR 100", "Maria de la Concepcion y Todos los Santos " * 4 + "^Ana"),
        ("ISO_IR 100", ""),
    ],
)
@pytest.mark.filterwarnings("ignore:The PN component length:UserWarning")
def test_patient_and_study_are_the_source_s(
    predicted, radiograph, tmp_path, charset, name
):
    place = radiograph(SpecificCharacterSet=charset, PatientName=name)
    source = pydicom.dcmread(place)

    _, results = predicted(place)

    assert len(results) == 3
    for result in results:
        again = saved(result, tmp_path)
        assert str(again.PatientName) == str(source.PatientName)
        for keyword in (
            "PatientID",
            "PatientBirthDate",
            "PatientSex",
            "PatientAge",
            "StudyInstanceUID",
            "StudyDate",
            "StudyTime",
            "StudyID",
            "AccessionNumber",
        ):
            assert again[keyword].value == source[keyword].value
        assert again.SeriesInstanceUID != source.SeriesInstanceUID


@pytest.mark.parametrize(
    "charset",
    ["ISO_IR 192", None, "ISO_IR 999", "ISO 2022 IR 6", ["", "ISO 2022 IR 87"]],
)
@pytest.mark.parametrize("keyword", ["PatientName", "AccessionNumber"])
@pytest.mark.filterwarnings("ignore:Unknown encoding:UserWarning")
def test_what_cannot_be_decoded_makes_no_other_patient(
    predicted, radiograph, charset, keyword
):
    stated = {"PatientName": "Doe^Jane", keyword: "Mueller^Joerg"}
    place = radiograph(SpecificCharacterSet=charset, **stated)
    content = place.read_bytes()
    place.write_bytes(content.replace(b"Mueller^Joerg", b"M\xfcller^J\xf6rg  "))

    expected = f"{keyword} is not in the character set"
    with pytest.raises(NoResultsError, match=expected) as told:
        predicted(place)
    assert "ller" not in str(told.value)


def test_how_a_patient_was_made_unknown_is_taken_over(
    predicted, radiograph, tmp_path, dicom_errors
):
    method = Dataset()
    method.CodeValue, method.CodingSchemeDesignator = "113100", "DCM"
    method.CodeMeaning = "Basic Application Confidentiality Profile"
    place = radiograph(
        PatientIdentityRemoved="YES", DeidentificationMethodCodeSequence=[method]
    )

    for result in predicted(place)[1]:
        assert dicom_errors(saved_at(result, tmp_path)) == []
        assert list(result.DeidentificationMethodCodeSequence) == [method]


def test_what_cannot_be_stored_again_has_no_results(bundle, radiograph):
    place = radiograph()
    (prediction,) = bundle.predictions([place])
    source = pydicom.dcmread(place)
    source.add_new("AccessionNumber", "FD", 1.5)

    with pytest.raises(NoResultsError, match="cannot be stored again"):
        results_of(source, prediction, bundle)


def test_a_description_that_cannot_be_decoded_is_left_out(predicted, radiograph):
    stated = {"PatientName": "Doe^Jane", "StudyDescription": "Thoraxbild"}
    place = radiograph(SpecificCharacterSet=None, **stated)
    assert predicted(place)[1][0].StudyDescription == "Thoraxbild"
    content = place.read_bytes()
    place.write_bytes(content.replace(b"Thoraxbild", b"Gesch\xf6nt  "))

    _, (report, *_) = predicted(place)

    assert "StudyDescription" not in report
    assert report.PatientName == "Doe^Jane"


@pytest.mark.parametrize(
    "keyword",
    ["SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"],
)
@pytest.mark.parametrize("value", [None, "", "1.2.x", "1" * 65, "12"])
def test_what_cannot_be_referred_to_has_no_results(bundle, radiograph, keyword, value):
    place = radiograph()
    (prediction,) = bundle.predictions([place])
    source = pydicom.dcmread(place)
    del source[keyword]
    if value is not None:
        with pydicom.config.disable_value_validation():
            setattr(source, keyword, value)

    with pytest.raises(NoResultsError, match=f"no valid {keyword}") as told:
        results_of(source, prediction, bundle)
    assert "ller" not in str(told.value)


def test_what_is_no_image_has_no_results(bundle, radiograph):
    place = radiograph(ViewPosition="LL")
    (prediction,) = bundle.predictions([place])
    source = pydicom.dcmread(place)
    source.SOPClassUID = pydicom.uid.XRayRadiationDoseSRStorage
    for keyword in ("Rows", "Columns", "PixelData"):
        del source[keyword]

    with pytest.raises(NoResultsError, match="no image"):
        results_of(source, prediction, bundle)


BROKEN = {
    "PatientBirthDate": b"1.1.60  ",
    "StudyTime": b"noon  ",
    "PatientAge": b"old ",
    "PatientSex": b"male",
    "WindowCenter": b"12,5",
    "BitsStored": b"",
    "Rows": b"",
    "PixelSpacing": b"0.1\\",
    "ImagerPixelSpacing": b"0.1 ",
    "PixelAspectRatio": b"1\\x ",
    "LossyImageCompressionRatio": b"x ",
}


@pytest.mark.parametrize("keyword", BROKEN)
def test_broken_values_of_the_source_stop_nothing(
    bundle, radiograph, tmp_path, keyword
):
    stated = {"WindowCenter": 128, "WindowWidth": 200, "LossyImageCompression": "01"}
    place = radiograph(**stated)
    (prediction,) = bundle.predictions([place])
    source = pydicom.dcmread(place)
    source._dict[pydicom.tag.Tag(keyword)] = pydicom.dataelem.RawDataElement(
        pydicom.tag.Tag(keyword),
        pydicom.datadict.dictionary_VR(keyword),
        len(BROKEN[keyword]),
        BROKEN[keyword],
        0,
        is_implicit_VR=False,
        is_little_endian=True,
    )

    report, *others = results_of(source, prediction, bundle)

    numbers, _, _ = in_words(saved(report, tmp_path))
    assert numbers["score"] == prediction.row["score"]
    for one in others:
        saved(one, tmp_path)
    unclear = {"WindowCenter", "Rows", "PixelSpacing", "PixelAspectRatio"}
    assert ("PR" in [one.Modality for one in others]) == (keyword not in unclear)


def test_numbers_of_the_source_that_are_long_to_write_conform(
    predicted, radiograph, tmp_path, dicom_errors
):
    stated = {
        "RescaleSlope": "1.52590218967E-5",  # 16 characters, and 17 as Python has it
        "RescaleIntercept": ".123456789012345",
        "WindowCenter": "1.12345678901E-3",
        "WindowWidth": "1.12345678901E+0",
    }
    _, (*_, state) = predicted(radiograph(**stated))

    assert dicom_errors(saved_at(state, tmp_path)) == []
    again = saved(state, tmp_path)
    (item,) = again.SoftcopyVOILUTSequence
    for keyword, text in stated.items():
        element = item[keyword] if keyword in item else again[keyword]
        assert float(element.value) == pytest.approx(float(text), rel=1e-9)


def stored_chest(drawn_chest, polarity, bits):
    """Return stored values that look alike, whatever their polarity."""
    values = drawn_chest(0, 64).astype(np.uint16) << (bits - 8)
    return 2**bits - 1 - values if polarity == "MONOCHROME1" else values


def voi_table(bits, *, first=0):
    """Return a table with a curve, from values of some bits to 12."""
    item = Dataset()
    grey = np.linspace(0, 1, 2**bits) ** 1.5
    item.add_new("LUTDescriptor", "SS" if first else "US", [2**bits, first, 12])
    item.add_new("LUTData", "OW", np.rint(4095 * grey).astype("<u2").tobytes())
    return {"VOILUTSequence": [item]}


WINDOWS = {
    "as stored": lambda _: {},
    "window": lambda bits: {
        "WindowCenter": 2**bits // 2,
        "WindowWidth": 7 * 2**bits // 8,
    },
    "table": voi_table,
    "table of negative values": lambda bits: {
        "RescaleSlope": 1,
        "RescaleIntercept": -1024,
        "RescaleType": "US",
        **voi_table(bits, first=-1024),
    },
    "two windows": lambda bits: {
        "WindowCenter": [2**bits // 2, 100],
        "WindowWidth": [7 * 2**bits // 8, 50],
    },
}


@pytest.mark.skipif(not which("dcmp2pgm"), reason="dcmtk is not installed")
@pytest.mark.parametrize("polarity", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize(
    "way", ["window", "two windows", "table", "table of negative values"]
)
def test_dcmtk_shows_a_presentation_as_we_show_the_radiograph(
    predicted, radiograph, drawn_chest, tmp_path, polarity, way
):
    bits = 12
    place = radiograph(
        pixels=stored_chest(drawn_chest, polarity, bits),
        PhotometricInterpretation=polarity,
        BitsAllocated=16,
        BitsStored=bits,
        HighBit=bits - 1,
        **WINDOWS[way](bits),
    )
    _, results = predicted(place)
    state = results[2]
    state.save_as(tmp_path / "state.dcm")
    shown = tmp_path / "shown.pgm"

    command = [which("dcmp2pgm"), "-p", tmp_path / "state.dcm", place, shown]
    subprocess.run(command, check=True, capture_output=True)

    ours = render(pydicom.dcmread(place)).pixels.astype(int)
    theirs = cv2.imread(str(shown), cv2.IMREAD_GRAYSCALE).astype(int)
    assert np.ptp(ours) > 100
    assert np.abs(ours - theirs).max() <= 2


def test_a_table_of_negative_values_begins_at_a_signed_one(predicted, radiograph):
    stated = WINDOWS["table of negative values"](8)

    _, (*_, state) = predicted(radiograph(**stated))

    (item,) = state.SoftcopyVOILUTSequence
    descriptor = item.VOILUTSequence[0]["LUTDescriptor"]
    assert (descriptor.VR, descriptor.value) == ("SS", [256, -1024, 16])


def test_a_presentation_repeats_a_sigmoid_window(predicted, radiograph):
    # By its function; dcmtk 3.6.7 takes every window of a presentation for linear.
    stated = {"WindowCenter": 100, "WindowWidth": 90, "VOILUTFunction": "SIGMOID"}

    _, (_, _, state) = predicted(radiograph(**stated))

    (item,) = state.SoftcopyVOILUTSequence
    assert {keyword: item[keyword].value for keyword in stated} == stated


def test_what_would_be_shown_otherwise_has_no_presentation(predicted, radiograph):
    cut_off = voi_table(8)["VOILUTSequence"][0]
    cut_off.LUTData = cut_off.LUTData[:99]
    too_bright = voi_table(8)["VOILUTSequence"][0]
    too_bright.LUTDescriptor = [256, 0, 10]
    unclear = [
        {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11},
        {"WindowCenter": 128, "WindowWidth": None},
        {"WindowCenter": 128, "WindowWidth": 9, "VOILUTFunction": "CUBIC"},
        {"RescaleSlope": 2},
        {"RescaleSlope": 2, "RescaleIntercept": 0},
        {"PixelRepresentation": 1},
        {"VOILUTSequence": [cut_off]},
        {"VOILUTSequence": [too_bright]},
        {"PixelSpacing": [0.1, 0.2]},
    ]
    for changes in unclear:
        pixels = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64) % 256
        is_wide = "BitsAllocated" in changes
        place = radiograph(pixels=pixels if is_wide else None, **changes)
        _, results = predicted(place)
        assert "PR" not in [one.Modality for one in results], changes


@pytest.mark.skipif(not which("dcm2pnm"), reason="dcmtk is not installed")
def test_dcmtk_shows_the_same_picture_of_the_map(predicted, radiograph, tmp_path):
    _, (_, capture, _) = predicted(radiograph())
    capture.save_as(tmp_path / "map.dcm")
    shown = tmp_path / "map.ppm"

    subprocess.run([which("dcm2pnm"), tmp_path / "map.dcm", shown], check=True)

    assert (cv2.imread(str(shown))[..., ::-1] == capture.pixel_array).all()


def test_the_picture_shows_the_radiograph_beside_its_map(
    bundle, radiograph, drawn_chest
):
    wide = drawn_chest(0, 90)[::2]
    place = radiograph(pixels=wide)
    (prediction,) = bundle.predictions([place])
    heat_map = np.zeros((3, 3))
    heat_map[0, 2] = 1
    prediction = replace(prediction, heat_map=heat_map)

    _, capture, *_ = results_of(pydicom.dcmread(place), prediction, bundle)

    height, width = 256, 512  # in the proportions of the radiograph
    panels = capture.pixel_array[32 : 32 + height]
    plain, over = panels[:, :width].astype(int), panels[:, width:].astype(int)
    assert capture.Columns == 2 * width
    assert (np.ptp(plain, axis=2) == 0).all()
    small = cv2.resize(wide, (512, 256), interpolation=cv2.INTER_CUBIC)
    assert np.abs(plain[..., 0] - small).mean() < 3
    changed = np.abs(over - plain).max(axis=2)
    upper_right = over[:40, -40:]
    others = changed[:40, :40], changed[-40:, -40:], changed[-40:, :40]
    assert changed[:40, -40:].mean() > 30
    assert max(corner.max() for corner in others) == 0
    assert upper_right[..., 0].mean() > upper_right[..., 2].mean()  # yellow, not blue
    assert capture.BurnedInAnnotation == "YES"
    assert capture.pixel_array[:32].max() == 255  # words above


def test_highdicom_is_imported_by_nothing_but_results():
    code = "import sys, covid_cxr.prediction.cli; print('highdicom' in sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )

    assert told.stdout.strip() == "False"


@pytest.mark.skipif(not which("dsrdump"), reason="dcmtk is not installed")
def test_dsrdump_shows_the_score(predicted, radiograph, tmp_path):
    row, (report, *_) = predicted(radiograph())
    report.save_as(tmp_path / "report.dcm")

    command = [which("dsrdump"), tmp_path / "report.dcm"]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout

    found = re.search(r'"Score of the network"\)="(.*?)" \(1,UCUM', shown)
    assert float(found[1]) == pytest.approx(row["score"], rel=1e-12)
    assert "RESEARCH ONLY" in shown
    assert "UNVERIFIED" in shown
