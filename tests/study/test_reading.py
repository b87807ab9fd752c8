"""What a study file may say, and what is said of one that cannot be run."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from covid_cxr.evaluation.published import TABLE_3
from covid_cxr.study.design import PHASE3, Cohort
from covid_cxr.study.reading import PUBLISHED, MalformedStudyError, read_study

BASE = Path(__file__).parents[2] / "conf/base/study.yml"
LINES = """\
cohorts:
  chest14: {source: nih}
  pneumonia: {source: rsna, short: Kaggle}
  clinic: {source: covid, title: Our clinic}
general:
  cohort: chest14
  labels: [edema, nodule]
  split: {label: nodule, test: official, validation: 0.1}
related:
  boxes:
    cohort: pneumonia
    labels: [pneumonia]
    split: {validation: 0.2}
  listed:
    cohort: chest14
    labels: [pneumonia]
    split: {validation: 0.2, images: 500}
target:
  cohort: clinic
  labels: [covid19]
  name: COVID-19
  reference: a smear
  split: {test: 0.3, validation: 0.2, strata: [site]}
  intensity_sample: 100
paths:
  a: [general, boxes, listed, target]
  plain:
    stages: [target]
    description: Nothing before
""".splitlines()


MANIFEST = "  clinic: {source: manifest}"


def study_of(**changes):
    """Return the study of `LINES` with other lines, by their number from 1."""
    lines = dict(enumerate(LINES, start=1))
    lines |= {int(number.removeprefix("line_")): t for number, t in changes.items()}
    return read_study("\n".join(lines.values()), file="conf/mine/study.yml")


def test_the_delivered_study_is_that_of_the_paper():
    study = read_study(BASE.read_text("utf-8"))

    # Fricks et al. 2021, Figure 1: three paths with phase 1, four with phase 2.
    assert [path.letter for path in study.paths] == list("abcdef")
    assert [path.has_phase1 for path in study.paths] == [True] * 3 + [False] * 3
    refined = [[t.training_set for t in p.phase2_trainings] for p in study.paths]
    assert refined == [
        *(["phase2_rsna"], ["phase2_nih"], []),
        *(["phase2_rsna"], ["phase2_nih"], []),
    ]
    assert len(study.trainings) == 1 + 4 + 6
    assert len(study.training_sets["phase1"].labels) == 14


def test_names_and_words_follow_from_the_record():
    study = study_of()

    assert study.cohorts["clinic"].title == "Our clinic"
    assert study.cohorts["pneumonia"] == Cohort(
        name="pneumonia",
        source="rsna",
        title="RSNA Pneumonia Challenge 2018",
        short="Kaggle",
        has_boxes=True,
    )
    titles = {name: one.title for name, one in study.training_sets.items()}
    assert titles == {
        "phase1": "Phase 1: 2 findings (NIH)",
        "phase2_boxes": "Phase 2: pneumonia (Kaggle)",
        "phase2_listed": "Phase 2: pneumonia (NIH)",
        "phase3": "Phase 3: COVID-19",
    }
    assert study.target.reference == "a smear"
    assert study.target_cohort == "clinic"


def test_refinements_follow_one_another():
    path, plain = study_of().paths

    chain = [(one.name, one.parent) for one in path.trainings]
    assert chain == [
        ("phase1", None),
        ("path_a.phase2_boxes", "phase1"),
        ("path_a.phase2_listed", "path_a.phase2_boxes"),
        ("path_a.phase3", "path_a.phase2_listed"),
    ]
    assert [one.parent_classifier for one in path.trainings] == [
        *("initial_classifier", "phase1_classifier"),
        *("path_a.phase2_boxes.classifier", "path_a.phase2_listed.classifier"),
    ]
    assert [one.name for one in plain.trainings] == ["path_plain.phase3"]
    before = ["2 findings (NIH)", "pneumonia (Kaggle)", "pneumonia (NIH)"]
    assert path.description == ", then ".join(before)


def test_a_set_is_drawn_as_stated_and_else_by_the_defaults():
    sets = study_of().training_sets

    assert sets[PHASE3].draws[0].split["strata"] == ["site"]
    assert sets[PHASE3].draws[0].split["label"] == "covid19"
    assert sets["phase2_boxes"].draws[0].split["test"] == "none"
    assert sets["phase2_boxes"].intensity_sample == 2048
    assert sets[PHASE3].intensity_sample == 100


def test_what_no_path_goes_through_is_no_part_of_the_study():
    study = study_of(line_26="  a: [listed, target]")

    assert set(study.training_sets) == {"phase2_listed", "phase3"}
    assert set(study.cohorts) == {"chest14", "clinic"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"line_2": "  chest14: {source: nhi}"}, "line 2: cohorts.chest14.source is "),
        ({"line_2": "  Chest14: {source: nih}"}, "line 2: cohorts.Chest14 must be lo"),
        ({"line_2": "  chest14: nih"}, "line 2: cohorts.chest14 must be a record, got"),
        (
            {"line_6": "  cohort: chest15"},
            "line 6: general.cohort is 'chest15'; the",
        ),
        ({"line_7": "  labels: []"}, "line 7: general.labels must be a list of differ"),
        ({"line_7": "  labels: [a, a]"}, "line 7: general.labels must be a list of d"),
        ({"line_7": "  lables: [edema]"}, r"general.lables is not known here \(is lab"),
        (
            {"line_7": "  labels: [edema, nodul]"},
            r"line 7: general.labels names .nodul., which nih does not have; near",
        ),
        ({"line_20": "  labels: [tuberculosis]"}, "line 20: target.labels names .tub"),
        (
            {"line_4": "  clinic: {source: manifest}", "line_20": "  labels: [view]"},
            "line 20: target.labels names .view., which no finding",
        ),
        (
            {"line_8": "  split: {validation: 0.1}"},
            "line 8: general.split.label is m",
        ),
        (
            {"line_8": "  split: {label: mass, validation: 0.1}"},
            "line 8: general.split.label is 'mass', none of edema, nodule",
        ),
        (
            {"line_11": "    cohort: clinic"},
            "line 11: related.boxes.cohort is clin",
        ),
        (
            {"line_13": "    split: {validation: 7.5}"},
            "line 13: related.boxes.split v",
        ),
        (
            {"line_13": "    split: {}"},
            "line 13: related.boxes.split.validation is",
        ),
        (
            {"line_13": "    split: {vaildation: 1}"},
            r"split.vaildation is not known",
        ),
        (
            {"line_4": MANIFEST, "line_20": "  labels: [covid19, edema]"},
            "line 23: target.split.label is missing",
        ),
        (
            {
                "line_4": MANIFEST,
                "line_20": "  labels: [covid19, edema]",
                "line_21": "  name: {covid19: COVID-19, edma: oedema}",
            },
            r"line 21: target.name.edma is not known here \(is edema meant",
        ),
        (
            {
                "line_4": MANIFEST,
                "line_20": "  labels: [covid19, edema]",
                "line_22": "  reference: {covid19: a smear}",
            },
            "line 22: target.reference.edema is missing",
        ),
        (
            {
                "line_4": MANIFEST,
                "line_20": "  labels: [covid19, edema]",
                "line_23": "  split: {label: edema, test: 0.3, validation: 0.2}",
                "line_25": "published: fricks_2021\npaths:",
            },
            "published is 'fricks_2021', whose target is one finding; here they are",
        ),
        ({"line_21": "  reference: PCR"}, "target.name is missing"),
        ({"line_23": "  split: {validation: 0.2}"}, "target.split.test is none: the"),
        ({"line_26": "  a: [general, boxes]"}, "line 26: paths.a must end in target"),
        ({"line_26": "  a: [boxes, general, target]"}, "line 26: paths.a must go from"),
        ({"line_26": "  a: [boxs, target]"}, r"line 26: paths.a goes .* boxes meant"),
        ({"line_26": "  a: [target]"}, "line 27: paths.plain is the same path as a"),
        ({"line_26": "  A: [general, target]"}, "line 26: paths.A must be named by"),
        ({"line_26": "  plain: [general, target]"}, "paths.plain stands here twice"),
        ({"line_26": "  a: 7"}, "line 26: paths.a must be a record, got 7"),
        ({"line_28": "    stages: []"}, "paths.plain.stages must be a list"),
        ({"line_24": "  intensity_sample: all"}, "intensity_sample must be a count"),
        ({"line_25": "pahts:"}, r"line 25: pahts is not known here \(is paths meant"),
        (
            {"line_28": "    stages: [target]\n    published_as: a"},
            "line 27: paths.plain is published_as 'a'; printed are none with",
        ),
        ({"line_25": "published: mine\npaths:"}, "published is 'mine'; known: fricks"),
    ],
)
def test_a_fault_is_named_with_its_line(change, said):
    with pytest.raises(MalformedStudyError, match=said) as stopped:
        study_of(**change)

    assert str(stopped.value).startswith("conf/mine/study.yml states no study")


def test_all_faults_are_named_at_once():
    with pytest.raises(MalformedStudyError) as stopped:
        study_of(line_6="  cohort: chest15", line_26="  a: [boxs, target]")

    assert re.findall(r"line (\d+)", str(stopped.value)) == ["6", "26"]


@pytest.mark.parametrize(
    "change",
    [
        {"line_7": "  labels: []"},
        {"line_13": "    split: {validation: 7.5}"},
        {"line_20": "  labels:"},
    ],
)
def test_a_set_with_a_fault_is_no_fault_of_the_paths_through_it(change):
    with pytest.raises(MalformedStudyError) as stopped:
        study_of(**change)

    (line,) = (name.removeprefix("line_") for name in change)
    assert re.findall(r"line (\d+)", str(stopped.value)) == [line]


@pytest.mark.parametrize("text", ["", "7", "- a", "just words"])
def test_a_file_that_is_no_record_is_refused(text):
    with pytest.raises(MalformedStudyError, match=r"study.yml must hold cohorts"):
        read_study(text)


def test_what_is_no_yaml_is_refused_with_its_line():
    with pytest.raises(MalformedStudyError, match="line 5: no YAML"):
        study_of(line_4="  clinic: {source: covid")


@pytest.mark.parametrize(
    ("source", "label", "said"),
    [
        ("nih", "edem", "names 'edem', which nih does not have; nearest: edema"),
        ("nih", "covid19", "names 'covid19', which nih does not have"),
        ("chexpert", "hernia", "names 'hernia', which chexpert does not have"),
        ("chexpert", "nodule", "names 'nodule', which chexpert does not have"),
        ("rsna", "covid19", "names 'covid19', which rsna does not have"),
        ("covid", "pneumonia", "names 'pneumonia', which covid does not have"),
    ],
)
def test_a_label_that_the_source_does_not_have_is_named_with_its_line(
    source, label, said
):
    with pytest.raises(MalformedStudyError) as stopped:
        study_of(
            line_2=f"  chest14: {{source: {source}}}", line_16=f"    labels: [{label}]"
        )

    assert f"line 16: related.listed.labels {said}" in str(stopped.value)


def test_a_manifest_has_whatever_label_it_is_asked_for():
    study = study_of(
        line_4="  clinic: {source: manifest}", line_20="  labels: [a_rare_disease]"
    )

    assert study.target_set.labels == ("a_rare_disease",)


@pytest.mark.parametrize(
    ("name", "called", "words"),
    [
        (
            "findings of the clinic",
            "findings of the clinic",
            ["covid19", "pleural fluid"],
        ),
        (
            "{covid19: COVID-19, pleural_fluid: effusion}",
            *("COVID-19 and effusion", ["COVID-19", "effusion"]),
        ),
    ],
)
@pytest.mark.parametrize(
    ("reference", "rests_on"),
    [
        ("{covid19: a smear, pleural_fluid: CT}", "{0}: a smear; {1}: CT"),
        ("{covid19: CT, pleural_fluid: CT}", "CT"),
        ("CT", "CT"),
    ],
)
def test_a_target_of_several_findings_has_words_for_each(
    name, called, words, reference, rests_on
):
    study = study_of(
        line_4=MANIFEST,
        line_20="  labels: [covid19, pleural_fluid]",
        line_21=f"  name: {name}",
        line_22=f"  reference: {reference}",
        line_23="  split: {label: pleural_fluid, test: 0.3, validation: 0.2}",
    )

    assert study.has_findings
    assert study.target.name == called
    assert list(study.target.findings.values()) == words
    assert study.target.reference == rests_on.format(*words)
    assert study.stated_finding == words[1]
    assert study.target_set.title == f"Phase 3: {called}"


def test_many_findings_together_are_called_by_their_number():
    labels = ["one", "two", "three", "four"]
    study = study_of(
        line_4=MANIFEST,
        line_20=f"  labels: [{', '.join(labels)}]",
        line_21=f"  name: {{{', '.join(f'{label}: {label}' for label in labels)}}}",
        line_23="  split: {label: two, test: 0.3, validation: 0.2}",
    )

    assert study.target.name == "4 findings"


@pytest.mark.parametrize("split", ["test: official", "eligible: official_test"])
@pytest.mark.parametrize("source", ["rsna", "padchest", "manifest"])
def test_an_official_test_list_that_nobody_published_is_a_fault(split, source):
    with pytest.raises(MalformedStudyError) as stopped:
        study_of(
            line_2=f"  chest14: {{source: {source}}}",
            line_7="  labels: [pneumonia]",
            line_8=f"  split: {{{split}, validation: 0.1}}",
        )

    said = f"line 8: general.split asks {source} for an official test list; nih, "
    assert said in str(stopped.value)


def test_paths_that_begin_alike_share_what_they_begin_with():
    study = study_of(
        line_25="starts:\n  random: {weights: none}\npaths:",
        line_26="  a: [general, target]\n"
        "  b: {start: random, stages: [general, target]}\n"
        "  c: {start: random, stages: [general, boxes, target]}",
    )

    assert [one.name for one in study.trainings if one.training_set == "phase1"] == [
        *("phase1", "phase1_random"),
    ]
    a, b, c = (path.trainings[0] for path in study.paths[:3])
    assert b == c
    assert [a.parent_classifier, b.parent_classifier] == [
        *("initial_classifier", "initial_random_classifier"),
    ]
    assert b.classifier == "phase1_random_classifier"
    assert study.used_starts == [None, "random"]


def test_a_start_that_is_not_stated_is_refused():
    with pytest.raises(MalformedStudyError, match=r"paths.a starts from .big."):
        study_of(line_26="  a: {start: big, stages: [target]}")


def test_a_start_that_changes_nothing_is_refused():
    with pytest.raises(MalformedStudyError, match=r"starts.random changes nothing"):
        study_of(line_25="starts:\n  random: {}\npaths:")


def test_maps_are_held_against_boxes_where_readers_have_drawn_some():
    two = study_of(line_12="    labels: [pneumonia]")
    training = two.path("path_a").phase2_trainings[0]

    assert two.has_pointing(training)
    assert not two.has_pointing(two.path("path_a").phase3_training)
    several = replace(two.training_sets["phase2_boxes"], labels=("pneumonia", "edema"))
    sets = {**two.training_sets, "phase2_boxes": several}
    assert replace(two, training_sets=sets).has_pointing(training)


def test_a_path_stands_beside_one_that_was_printed():
    beside = "    stages: [target]\n    published_as: "
    published = "published: fricks_2021\npaths:"

    study = study_of(line_25=published, line_28=f"{beside}f")

    assert study.path("path_plain").published_as == "f"
    with pytest.raises(MalformedStudyError, match=r"'z'; printed are a, b, c, d, e, f"):
        study_of(line_25=published, line_28=f"{beside}z")
    # The letters are those of the numbers that stand there.
    assert set(TABLE_3) == {f"path_{letter}" for letter in PUBLISHED["fricks_2021"]}


POOLED = {
    "line_6": "  cohorts:",
    "line_7": """\
    chest14: {split: {label: nodule, test: official, validation: 0.1}}
    pneumonia: {split: {validation: 0.2}}
    own: {labels: [edema], split: {validation: 0.3}}""",
    "line_8": "  labels: [edema, nodule, pneumonia]",
    "line_4": "  clinic: {source: covid}\n  own: {source: manifest}",
}


def test_a_set_of_several_cohorts_takes_from_each_what_it_tells():
    study = study_of(**POOLED)
    drawn = study.training_sets["phase1"]

    told = {draw.cohort: draw.labels for draw in drawn.draws}
    assert told == {
        "chest14": ("edema", "nodule", "pneumonia"),
        "pneumonia": ("pneumonia",),
        "own": ("edema",),
    }
    assert [draw.split["label"] for draw in drawn.draws] == [
        *("nodule", "pneumonia", "edema")
    ]
    assert drawn.told_by("edema") == ("chest14", "own")
    assert drawn.tested == {"chest14": "official"}
    assert (drawn.origin, drawn.part_of("own")) == ("phase1", "phase1_own")
    assert drawn.title == "Phase 1: 3 findings (NIH, Kaggle, own)"
    assert study.labels_of("own") == ("edema",)
    assert study.cohorts_of("general") == ["chest14", "pneumonia", "own"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            {"line_8": "  labels: [edema, nodule, scar]"},
            "'scar', which none of chest14",
        ),
        ({"line_8": "  labels: [edema, nodule]"}, "pneumonia tells none of"),
        ({"line_7": "    own: {split: {}}"}, "general.cohorts must name two"),
        (
            {"line_7": "    own: {labels: [mass], split: {label: mass}}"},
            r"cohorts.own.labels names 'mass', none of the set's",
        ),
        (
            {"line_7": "    chest15: {split: {}}\n    own: {split: {}}"},
            "cohorts.chest15 is 'chest15'; the cohorts are",
        ),
        (
            {
                "line_7": """\
    clinic: {split: {validation: 0.1}}
    chest14: {split: {validation: 0.1}}""",
                "line_8": "  labels: [edema, covid19]",
            },
            "line 7: general.cohorts names clinic, which the target is tested on",
        ),
        ({"line_6": "  cohort: own\n  cohorts:"}, "general.cohort is not known here"),
        ({"line_19": "  cohorts: {clinic: {}}"}, "target.cohorts is not known here"),
    ],
)
def test_what_no_pool_can_be_made_of_is_named(line, said):
    with pytest.raises(MalformedStudyError, match=said):
        study_of(**{**POOLED, **line})


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            {
                "line_4": "  clinic: {source: covid}\n  phase1: {source: manifest}",
                "line_7": POOLED["line_7"].replace("own:", "phase1:"),
            },
            "line 5: cohorts.phase1 needs another name: phase1_curated is",
        ),
        (
            {"line_4": f"{POOLED['line_4']}\n  pooled: {{source: manifest}}"},
            "line 6: cohorts.pooled needs another name: pooled_curated is",
        ),
        (
            {
                "line_11": "    cohorts:",
                "line_12": """\
      chest14: {split: {validation: 0.1}}
      own: {split: {validation: 0.2}}""",
                "line_13": "    labels: [pneumonia]",
                "line_14": "  boxes_own:",
            },
            r"related.boxes_own needs another name: phase2_boxes_own_split is a draw",
        ),
    ],
)
def test_names_by_which_two_datasets_would_be_called_alike_are_refused(line, said):
    with pytest.raises(MalformedStudyError, match=said):
        study_of(**{**POOLED, **line})


def test_a_cohort_may_be_called_as_a_set_that_is_drawn_from_one():
    study = study_of(
        line_2="  phase1: {source: nih}",
        line_6="  cohort: phase1",
        line_15="    cohort: phase1",
    )

    assert study.training_sets["phase1"].origin == "phase1"
