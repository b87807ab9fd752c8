"""The part of the body in words and codes of the standard and of six languages."""

import pytest
from pydicom import Dataset
from pydicom.sr._cid_dict import cid_concepts
from pydicom.sr._concepts_dict import concepts
from pydicom.sr._snomed_dict import mapping

from covid_cxr.radiographs.body_part import (
    CHEST,
    NOT_STATED,
    OTHER_PART,
    UNDECIDED,
    coded_part,
    described_part,
    read_body_part,
)

CHESTS = (
    "CHEST|PORT CHEST|PORTCHEST|chest_ap|CHEST-PA|CXR|THORAX|RX TORAX|TÓRAX|rxtorax|"
    "Tórax AP|TORACE|RX torace|thorax de face|Radiographie thoracique|POITRINE|"
    "Poumons|BRUSTKORB|Thoraxaufnahme|Thorax a.p. im Liegen|Lunge|PETTO|PEITO|PECHO|"
    "Pulmão|Pulmões|Radiografía torácica|polmoni|LUNG|CHESTABDOMEN|THORAKS"
)
OTHERS = (
    "ABDOMEN|KIDNEY|BREAST|EXTREMITY|TSPINE|THORACIC SPINE|Columna torácica|BWS|"
    "Thoracolumbar|RIB|RIBS|COSTILLAS|Rippen|parrilla costal|STERNUM|SHOULDER|"
    "Abteilung|Darstellung|Doe^Jane|Knie|addome"
)


@pytest.mark.parametrize("text", CHESTS.split("|"))
def test_a_chest_is_understood_as_hospitals_write_it(text):
    assert read_body_part(text) == CHEST


@pytest.mark.parametrize("text", OTHERS.split("|"))
def test_what_does_not_name_the_chest_is_another_part(text):
    assert read_body_part(text) == OTHER_PART


@pytest.mark.parametrize("text", ["", " ", "unknown", "N/A"])
def test_no_part_is_not_stated(text):
    assert read_body_part(text) == NOT_STATED


def concept(value, meaning):
    item = Dataset()
    item.CodeValue, item.CodeMeaning = value, meaning
    return item


def region(value, meaning):
    dataset = Dataset()
    dataset.AnatomicRegionSequence = [concept(value, meaning)]
    return dataset


def concepts_of(*cids):
    for cid in cids:
        for name in cid_concepts[cid]["SCT"]:
            for code, (meaning, _) in concepts["SCT"][name].items():
                yield name, code, meaning


def test_the_chests_of_the_standard_are_chests_by_code_and_by_meaning():
    """CID 4031 and CID 4 of PS3.16, as pydicom has them: no more and no fewer."""
    of_the_chest = {"Chest", "Thorax", "Lung", "ApexOfLung", "IntraThoracic"}
    for name, code, meaning in concepts_of(4031, 4):
        if name in of_the_chest:
            codes = {code, mapping["SCT"].get(code, code)}
            assert {coded_part(region(c, "")) for c in codes} == {CHEST}, name
            assert coded_part(region("?", meaning)) in {CHEST, UNDECIDED}, name
        else:
            assert coded_part(region(code, meaning)) != CHEST, name


@pytest.mark.parametrize("code", ["T-D3000", "51185008", "816094009"])
def test_old_and_new_codes_of_the_chest_are_the_same(code):
    assert coded_part(region(code, "")) == CHEST


@pytest.mark.parametrize(
    ("header", "decided"),
    [
        ({"StudyDescription": "XR CHEST 1 VIEW AP"}, ("StudyDescription", CHEST)),
        ({"SeriesDescription": "RX_TÓRAX"}, ("SeriesDescription", CHEST)),
        ({"ProtocolName": "Brustkorb-Liegend"}, ("ProtocolName", CHEST)),
        (
            {"PerformedProcedureStepDescription": "torace"},
            ("PerformedProcedureStepDescription", CHEST),
        ),
        (
            {"SeriesDescription": "ABDOMEN AP", "StudyDescription": "CHEST"},
            ("SeriesDescription", OTHER_PART),
        ),
        (
            {"SeriesDescription": "PORTABLE", "StudyDescription": "CHEST"},
            ("StudyDescription", CHEST),
        ),
        (
            {"StudyDescription": "Radiographie du thorax de face"},
            ("StudyDescription", CHEST),
        ),
        (
            {"ProtocolName": "Brustorgane liegend, Main Hospital"},
            ("ProtocolName", CHEST),
        ),
        (
            {"StudyDescription": "CHEST AFTER ARTERIAL LINE"},
            ("StudyDescription", CHEST),
        ),
        ({"StudyDescription": "CHEST AND ABDOMEN"}, None),
        ({"StudyDescription": "Doe^Jane"}, None),
        ({}, None),
    ],
)
def test_the_element_nearest_to_the_image_decides(header, decided):
    dataset = Dataset()
    for keyword, text in header.items():
        setattr(dataset, keyword, text)

    assert described_part(dataset) == decided


@pytest.mark.parametrize(
    ("sequence", "keyword"),
    [
        ("ProcedureCodeSequence", "CodeMeaning"),
        ("PerformedProtocolCodeSequence", "CodeMeaning"),
        ("RequestAttributesSequence", "RequestedProcedureDescription"),
    ],
)
def test_descriptions_in_sequences_are_read_as_well(sequence, keyword):
    item, dataset = Dataset(), Dataset()
    setattr(item, keyword, "Radiographie du thorax")
    setattr(dataset, sequence, [item])

    assert described_part(dataset) == (sequence, CHEST)
