"""Which trainings stand behind a classifier."""

from covid_cxr.audit.lineage import stages_of
from covid_cxr.study.current import current


def lineage():
    return {
        stage.name: (stage.training_set, [earlier.name for earlier in stage.ancestors])
        for stage in stages_of(current().paths)
    }


def test_every_training_of_the_study_is_a_stage():
    assert len(lineage()) == 11


def test_the_longest_lineage_is_phase_1_then_phase_2():
    assert lineage()["path_a.phase3"] == ("phase3", ["phase1", "path_a.phase2"])


def test_a_path_without_phase_2_inherits_from_phase_1():
    assert lineage()["path_c.phase3"] == ("phase3", ["phase1"])


def test_a_path_without_phase_1_inherits_from_its_own_phase_2_only():
    assert lineage()["path_d.phase2"] == ("phase2_rsna", [])
    assert lineage()["path_e.phase3"] == ("phase3", ["path_e.phase2"])


def test_the_control_path_has_no_ancestors():
    stages = stages_of([current().paths[-1]])

    assert [(stage.name, stage.ancestors) for stage in stages] == [
        ("path_f.phase3", ())
    ]
