"""Every list that names images: what finds nothing is kept, and too much stops."""

import pandas as pd
import pytest

from covid_cxr.sources.covid import (
    CovidIngestion,
    list_covid,
    list_unmatched_covid,
)
from covid_cxr.sources.listed import MatchedCohort
from covid_cxr.sources.manifest import ManifestIngestion
from covid_cxr.sources.nih import list_nih, list_unmatched_nih
from covid_cxr.sources.nih_adjudicated import ADJUDICATED
from covid_cxr.sources.rsna import (
    RsnaIngestion,
    list_rsna,
    list_unmatched_rsna,
)

N = 20
FINDS_NO_FILE = "have no file in the folder"
SHEET = "Anon MRN,Anon TCIA Study Date,Anon Exam Description,Anon Study UID\n"


def names(n, suffix=".png"):
    return [f"{k:08d}_000{suffix}" for k in range(n)]


def judge_nih(folder, share, *, rows=N, listed=N, boxed=(), read=()):
    entries = pd.DataFrame(
        {
            "Image Index": names(rows),
            "Finding Labels": "No Finding",
            "Patient ID": [str(k) for k in range(rows)],
            "Patient Age": "57",
            "Patient Gender": "M",
            "View Position": "PA",
        },
        dtype="str",
    )
    boxes = pd.DataFrame(
        {"Image Index": boxed, "Finding Label": "Mass"}, dtype="str"
    ).assign(**{"Bbox [x": "1", "y": "1", "w": "9", "h]": "9"})
    agreed = pd.DataFrame({"Image Index": read, "Patient ID": "1"}, dtype="str")
    agreed = agreed.assign(**dict.fromkeys(ADJUDICATED.values(), "NO"))
    lists = ("\n".join(names(listed)), "", boxes)
    listed, _, rejected = list_nih(entries, *lists, folder)
    unmatched = list_unmatched_nih(listed, rejected, boxes, agreed)
    return unmatched, lambda: MatchedCohort("nih").admit(listed, unmatched, share, [])


def judge_rsna(folder, share, *, labels=N, classes=N, mapped=N):
    ids = [f"{k:04d}" for k in range(N)]
    box = dict.fromkeys(("x", "y", "width", "height"), "9")
    label_rows = pd.DataFrame({"patientId": ids[:labels], **box, "Target": "1"})
    class_rows = pd.DataFrame({"patientId": ids[:classes], "class": "Lung Opacity"})
    rows = [f"{own},{nih}\n" for own, nih in zip(ids, names(N), strict=True)]
    mapping = "patientId,nih_image\n" + "".join(rows[:mapped])
    bound = RsnaIngestion(patient_identity="nih_patient", max_unmatched_share=share)
    listed, boxes, rejected = list_rsna(label_rows, class_rows, mapping, folder, bound)
    unmatched = list_unmatched_rsna(listed, boxes, rejected, bound)
    return unmatched, lambda: MatchedCohort("rsna").admit(listed, unmatched, share, [])


def judge_covid(folder, share, layout, *, table=None, additions=None, mapping=None):
    bound = CovidIngestion(
        layout=layout, pseudonym_salt=None, max_unmatched_share=share
    )
    listed, rejected = list_covid(table, additions, mapping, folder, bound)
    unmatched = list_unmatched_covid(listed, rejected, mapping, bound)
    return unmatched, lambda: MatchedCohort("covid").admit(listed, unmatched, share, [])


def manifest(images, **columns):
    return pd.DataFrame(
        {
            "image": images,
            "patient": images,
            "rt_pcr": "positive",
            "site": "",
            "view": "PA",
            "sex": "",
            "age": "",
            **columns,
        },
        dtype="str",
    )


def of_nih_files(at_hand, share, folder_of, unpacked):
    return judge_nih(folder_of(*names(at_hand)), share)


def of_nih_lists(at_hand, share, folder_of, unpacked):
    return judge_nih(folder_of(*names(N)), share, rows=at_hand)


def of_nih_entries(at_hand, share, folder_of, unpacked):
    return judge_nih(folder_of(*names(N)), share, listed=at_hand)


def of_nih_boxes(at_hand, share, folder_of, unpacked):
    strangers = [f"{k:08d}_000.png" for k in range(N, 2 * N - at_hand)]
    boxed = [*names(at_hand), *strangers]
    return judge_nih(folder_of(*names(N)), share, boxed=boxed)


def of_nih_adjudicated(at_hand, share, folder_of, unpacked):
    strangers = [f"{k:08d}_000.png" for k in range(N, 2 * N - at_hand)]
    read = [*names(at_hand), *strangers]
    return judge_nih(folder_of(*names(N)), share, read=read)


def of_rsna_files(at_hand, share, folder_of, unpacked):
    return judge_rsna(folder_of(*(f"{k:04d}.dcm" for k in range(at_hand))), share)


def of_rsna_labels(at_hand, share, folder_of, unpacked):
    folder = folder_of(*(f"{k:04d}.dcm" for k in range(N)))
    return judge_rsna(folder, share, labels=at_hand)


def of_rsna_classes(at_hand, share, folder_of, unpacked):
    folder = folder_of(*(f"{k:04d}.dcm" for k in range(N)))
    return judge_rsna(folder, share, classes=at_hand)


def of_rsna_mapping(at_hand, share, folder_of, unpacked):
    folder = folder_of(*(f"{k:04d}.dcm" for k in range(N)))
    return judge_rsna(folder, share, mapped=at_hand)


def of_manifest(at_hand, share, folder_of, unpacked):
    folder = folder_of(*names(at_hand))
    return judge_covid(folder, share, "manifest", table=manifest(names(N)))


def of_additions(at_hand, share, folder_of, unpacked):
    whole = [f"whole{k}.png" for k in range(10 * N)]
    added = manifest(names(N), source="elsewhere")
    folder = folder_of(*whole, *names(at_hand))
    return judge_covid(
        folder, share, "manifest", table=manifest(whole), additions=added
    )


def of_covid_mapping(at_hand, share, folder_of, unpacked):
    table = manifest(names(N), source="rsna")
    rows = "".join(f"{name},{name}\n" for name in names(at_hand))
    folder = folder_of(*names(N))
    return judge_covid(
        folder, share, "manifest", table=table, mapping=f"patientId,nih_image\n{rows}"
    )


def of_public_collection(at_hand, share, folder_of, unpacked):
    table = pd.DataFrame(
        {
            "patientid": names(N),
            "sex": "M",
            "age": "65",
            "finding": "COVID-19",
            "view": "PA",
            "modality": "X-ray",
            "date": "",
            "location": "",
            "filename": names(N),
        },
        dtype="str",
    )
    folder = folder_of(*names(at_hand))
    return judge_covid(folder, share, "covid_chestxray_dataset", table=table)


def of_covidx(at_hand, share, folder_of, unpacked):
    whole = [f"whole{k}.png" for k in range(10 * N)]
    files = {
        "train_COVIDx9B.txt": "".join(f"{x} {x} positive cohen\n" for x in whole),
        "test_COVIDx9B.txt": "".join(f"{x} {x} negative rsna\n" for x in names(N)),
        **dict.fromkeys([*whole, *names(at_hand)], ""),
    }
    return judge_covid(unpacked(files), share, "covidx")


def ricord(n_files, n_rows, share, unpacked):
    patients = [f"419639-{k:06d}" for k in range(N)]
    rows = "".join(f"{x},8/2/2002,XR CHEST,1.2.12345\n" for x in patients[:n_rows])
    # Two images a study: a share of studies is none of images.
    images = [
        f"MIDRC-RICORD-1C-{x}/12345/77899/{k}.dcm"
        for x in patients[:n_files]
        for k in (1, 2)
    ]
    files = {"ricord.csv": SHEET + rows, **dict.fromkeys(images, "")}
    return judge_covid(unpacked(files), share, "ricord")


def of_ricord_sheet(at_hand, share, folder_of, unpacked):
    return ricord(at_hand, N, share, unpacked)


def bimcv(n_files, n_rows, share, unpacked):
    rows = "".join(f"sub-S{k}\tses-E{k}\n" for k in range(n_rows))
    images = [f"p/sub-S{k}/sub-S{k}_ses-E{k}_run-1_vp-ap_cr.png" for k in range(N)]
    other = [
        f"n/sub-S{k}/sub-S{k}_ses-E{k}_run-1_vp-ap_cr.png" for k in range(100, 300)
    ]
    others = "".join(f"sub-S{k}\tses-E{k}\n" for k in range(100, 300))
    files = {
        "p/labels_posi.tsv": "PatientID\tReportID\n" + rows,
        "n/labels_nega.tsv": "PatientID\tReportID\n" + others,
        **dict.fromkeys([*images[:n_files], *other], ""),
    }
    return judge_covid(unpacked(files), share, "bimcv")


def of_bimcv_labels(at_hand, share, folder_of, unpacked):
    return bimcv(at_hand, N, share, unpacked)


LISTS = {
    of_nih_files: ("nih", "nih_entries", FINDS_NO_FILE),
    of_nih_lists: ("nih", "train_val_list.txt and test_list.txt", "nih_entries"),
    of_nih_entries: ("nih", "nih_entries", "in neither train_val_list.txt"),
    of_nih_boxes: ("nih", "BBox_List_2017.csv", "have no row in nih_entries"),
    of_nih_adjudicated: ("nih", "four_findings_expert", "have no row in nih_entries"),
    of_rsna_files: ("rsna", "rsna_labels", FINDS_NO_FILE),
    of_rsna_labels: ("rsna", "rsna_class_info", "have no row in rsna_labels"),
    of_rsna_classes: ("rsna", "rsna_labels", "have no row in rsna_class_info"),
    of_rsna_mapping: ("rsna", "rsna_labels", "have no NIH image in rsna_mapping"),
    of_manifest: ("covid", "covid_manifest", FINDS_NO_FILE),
    of_additions: ("covid", "covid_additions", FINDS_NO_FILE),
    of_covid_mapping: ("covid", "images of the source rsna", "in rsna_mapping"),
    of_public_collection: ("covid", "covid_manifest", FINDS_NO_FILE),
    of_covidx: ("covid", "test_COVIDx9B.txt", FINDS_NO_FILE),
    of_ricord_sheet: ("covid", "the sheet of RICORD", "studies without a file"),
    of_bimcv_labels: ("covid", "the labels of BIMCV's positive", "without a file"),
}


@pytest.mark.parametrize("judge", LISTS)
def test_a_list_that_fits_leaves_nothing_unmatched(judge, folder_of, unpacked):
    unmatched, admit = judge(N, 0.0, folder_of, unpacked)

    assert unmatched.empty
    assert "list" not in admit()


@pytest.mark.parametrize("judge", LISTS)
def test_up_to_the_share_all_names_are_kept_and_the_cohort_goes_on(
    judge, folder_of, unpacked
):
    _, list_, reason = LISTS[judge]

    unmatched, admit = judge(N - 12, 0.6, folder_of, unpacked)

    of_list = unmatched[unmatched["list"].str.startswith(list_)]
    of_kind = of_list[of_list["reason"].str.contains(reason, regex=False)]
    assert of_kind["image"].nunique() == 12
    assert (of_kind["n_names"] == N).all()
    assert len(admit()) > 0


@pytest.mark.parametrize("judge", LISTS)
def test_above_the_share_the_run_stops_and_names_parameter_and_file(
    judge, folder_of, unpacked
):
    cohort, list_, reason = LISTS[judge]
    unmatched, admit = judge(N - 12, 0.55, folder_of, unpacked)
    of_list = unmatched[unmatched["list"].str.startswith(list_)]
    of_kind = of_list[of_list["reason"].str.contains(reason, regex=False)]

    with pytest.raises(
        ValueError, match=rf"{cohort}_ingestion\.max_unmatched_share"
    ) as caught:
        admit()

    message = str(caught.value)
    assert f"02_intermediate/{cohort}_lists_unmatched.parquet" in message
    assert f"12 of {N} names in {list_}" in message
    named = [name for name in of_kind["image"] if f"{name}," in f"{message},"]
    assert len(named) >= 9
    assert ", …" in message


@pytest.mark.parametrize(("n_rows", "stops"), [(N, False), (8, True), (15, False)])
def test_files_of_studies_that_the_sheet_lacks_are_judged_too(n_rows, stops, unpacked):
    unmatched, admit = ricord(N, n_rows, 0.5, unpacked)

    assert len(unmatched) == 2 * (N - n_rows)
    if stops:
        with pytest.raises(ValueError, match="24 of 40 names in the folder of RICORD"):
            admit()
    else:
        assert len(admit()) == 2 * n_rows


@pytest.mark.parametrize(("n_rows", "n_kept"), [(15, 5), (5, 15), (N, 0)])
def test_files_of_sessions_in_no_table_are_judged_too(n_rows, n_kept, unpacked):
    unmatched, admit = bimcv(N, n_rows, 0.05, unpacked)

    assert len(unmatched) == n_kept
    assert (unmatched["n_names"] == 200 + N).all()
    if n_kept > 0.05 * (200 + N):
        with pytest.raises(ValueError, match="in no table of labels"):
            admit()
    else:
        assert len(admit()) == 200 + n_rows


def test_a_session_of_ct_has_files_that_are_no_radiographs(unpacked):
    files = {
        "labels_posi.tsv": "PatientID\tReportID\nsub-S1\tses-E1\nsub-S2\tses-E2\n",
        "sub-S1/sub-S1_ses-E1_run-1_vp-ap_cr.png": "",
        "sub-S2/sub-S2_ses-E2_run-1_ct.nii.gz": "",
    }

    unmatched, admit = judge_covid(unpacked(files), 0.0, "bimcv")

    assert unmatched.empty
    assert len(admit()) == 1


@pytest.mark.parametrize("layout", ["ricord", "bimcv"])
def test_where_only_additions_are_of_use_the_layout_is_judged(layout, unpacked):
    files = {
        "ricord.csv": SHEET + "419639-000001,8/2/2002,XR CHEST,1.2.12345\n",
        "labels_posi.tsv": "PatientID\tReportID\nsub-S1\tses-E1\n",
        "elsewhere/a.png": "",
    }
    added = manifest(["a.png"], source="elsewhere")

    unmatched, admit = judge_covid(unpacked(files), 0.5, layout, additions=added)

    assert unmatched["image"].tolist() == [
        "419639-000001/12345" if layout == "ricord" else "ses-E1"
    ]
    with pytest.raises(ValueError, match=r"1 of 1 names in the .* without a file"):
        admit()


def test_rows_that_are_of_no_use_are_not_counted(folder_of):
    views = ["PA"] * 2 + ["L"] * 18
    table = manifest(names(N), view=views)

    unmatched, admit = judge_covid(folder_of(names(1)[0]), 0.5, "manifest", table=table)

    assert unmatched["n_names"].tolist() == [2]
    assert len(admit()) == 2


def test_with_kaggle_ids_the_mapping_is_asked_for_nothing(folder_of):
    bound = RsnaIngestion(patient_identity="kaggle_id", max_unmatched_share=0.0)
    box = dict.fromkeys(("x", "y", "width", "height"), "9")
    labels = pd.DataFrame({"patientId": ["a"], **box, "Target": ["1"]})
    classes = pd.DataFrame({"patientId": ["a"], "class": ["Lung Opacity"]})

    listed, boxes, rejected = list_rsna(
        labels, classes, None, folder_of("a.dcm"), bound
    )

    assert list_unmatched_rsna(listed, boxes, rejected, bound).empty


def test_boxes_of_images_without_a_file_are_named(folder_of):
    unmatched, _ = judge_rsna(folder_of("0000.dcm"), 1.0)

    boxes = unmatched[unmatched["list"] == "the boxes of rsna_labels"]
    assert boxes["image"].tolist() == [f"{k:04d}" for k in range(1, N)]


@pytest.mark.parametrize("share", [-1, 2, None, True])
@pytest.mark.parametrize(
    ("ingestion", "given"),
    [
        (ManifestIngestion, {}),
        (RsnaIngestion, {"patient_identity": "kaggle_id"}),
        (CovidIngestion, {"layout": "manifest", "pseudonym_salt": None}),
    ],
)
def test_a_share_that_is_none_is_refused(ingestion, given, share):
    with pytest.raises(ValueError, match=r"_ingestion\.max_unmatched_share must be a"):
        ingestion(**given, max_unmatched_share=share)


@pytest.mark.parametrize("label", ["gallstones", "Edema", "sex"])
def test_a_label_that_a_cohort_does_not_have_is_refused(label):
    listed = pd.DataFrame({"sex": ["F"], "edema": pd.array([True], dtype="boolean")})
    unmatched = pd.DataFrame(columns=["list", "image", "reason", "n_names"])

    admitted = MatchedCohort("ward").admit(listed, unmatched, 0.1, ["edema"])
    with pytest.raises(ValueError, match=f"learns {label} from the cohort ward, whose"):
        MatchedCohort("ward").admit(listed, unmatched, 0.1, ["edema", label])

    assert admitted["edema"].tolist() == [True]
