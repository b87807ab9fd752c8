"""What a small run of two paths left, made up, and the same with more or less of it."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from covid_cxr.report.documents.evidence import Evidence
from covid_cxr.report.leakage_summary import AuditTables
from covid_cxr.report.printable import printable
from covid_cxr.report.run_facts import Provenance, list_provenance

SALT = "a secret of many characters"
PLACE = "/home/somebody/study"
PARAMETERS = {
    "data_root": PLACE,
    "curation": {"size_px": 64, "cluster": "tcp://10.0.0.7:8786"},
    "covid_ingestion": {"layout": "manifest", "pseudonym_salt": SALT},
    "rsna_ingestion": {"patient_identity": "nih_patient"},
    "network": {"weights": f"{PLACE}/chest.safetensors"},
    "phase3": {
        "recipe": {"learning_rate": 0.01},
        "repetition": {"n_seeds": 1},
        "saliency": {
            **dict.fromkeys(("true_positives", "true_negatives"), 2),
            **dict.fromkeys(("false_positives", "false_negatives"), 1),
            "seed": 7,
        },
    },
    **{
        f"{name}_split": {
            "eligible": "all",
            "images": 1.0,
            "test": 0.25,
            "validation": 0.2,
            "strata": [],
            "seed": 7,
        }
        for name in ("phase1", "phase3")
    },
}


def training(stage, parents=()):
    """Return the provenance of a training, as `training_provenance` writes it."""
    network = {"blocks": [2, 4], "growth_rate": 12, "initial_filters": 24}
    return {
        "stage": stage,
        "parents": list(parents),
        "network": {**network, "size_px": 64, "weights": "none"},
        "recipe": {
            "learning_rate": 0.05,
            "momentum": 0.9,
            "weight_decay": 0.0001,
            "decay": "coupled_l2",
            "batch_images": 16,
            "max_epochs": 20,
            "plateau_epochs": 3,
            "plateau_factor": 0.1,
            "stop_epochs": 10,
            "flip": True,
            "rotation_degrees": 8.0,
            "crop_share": 0.1,
            "seed": 11,
            "trainable": "all",
        },
        "n_images": {"train": 240, "validation": 80, "test": 100},
        "intensity": {"mean": 0.601, "standard_deviation": 0.272, "n_images": 240},
        "n_epochs": 14,
        "best_epoch": 9,
        "weights_sha256": "ab" * 32,
        "versions": {"covid_cxr": "0.1.0"},
    }


def parts():
    rows = [
        *(("phase1", "train", "pneumonia", 600, 300, 60),),
        *(("phase1", "test", "pneumonia", 200, 90, 20),),
        *(("phase3", "train", "covid19", 240, 110, 180),),
        *(("phase3", "validation", "covid19", 80, 40, 60),),
        *(("phase3", "test", "covid19", 100, 45, 75),),
    ]
    columns = ["training_set", "part", "label", "images", "patients", "positives"]
    return pd.DataFrame(rows, columns=columns)


def characteristics():
    rows = [
        *(("age in years", "median", "patients", 61.0, 60.0, 59.0),),
        *(("age in years", "unknown", "patients", 3, 1, 1),),
        *(("sex", "F", "patients", 50, 20, 22), ("sex", "M", "patients", 60, 20, 23)),
        *(("sex", "unknown", "patients", 0, 0, 0),),
        *(("view", "AP", "radiographs", 100, 30, 41),),
        *(("view", "PA", "radiographs", 140, 50, 59),),
        *(("site", "North|East", "radiographs", 240, 80, 100),),
    ]
    columns = ["characteristic", "level", "unit", "train", "validation", "test"]
    return pd.DataFrame(rows, columns=columns).assign(training_set="phase3")


def flow():
    rows = [
        ("covid", None, "listed", None, 423, np.nan),
        ("covid", None, "rejected at ingestion", "no RT-PCR result", 3, np.nan),
        ("covid", None, "curated", None, 420, 195),
    ]
    columns = ["cohort", "training_set", "step", "reason", "images", "patients"]
    return pd.DataFrame(rows, columns=columns)


def table3():
    return pd.DataFrame(
        {
            "path": ["path_c", "path_f"],
            "auroc": [0.8123, 0.7456],
            "lower": [0.7011, 0.6222],
            "upper": [0.8833, 0.8444],
            "image_lower": [0.7111, 0.6333],
            "image_upper": [0.8777, 0.8333],
            "cases": 75,
            "controls": 25,
            "patients": 45,
            "validation_auroc": [0.9, 0.8],
        }
    )


def seeds():
    names = ["lowest_auroc", "highest_auroc", "seed_share"]
    return pd.DataFrame({"path": ["path_c", "path_f"], "n_seeds": 1}).assign(
        **dict.fromkeys(names, np.nan)
    )


def operating():
    shares = {"sensitivity": 0.8234, "specificity": 0.6543, "ppv": 0.2, "npv": 0.99}
    bounds = {
        f"{name}_{end}": value + margin
        for name, value in shares.items()
        for end, margin in (("lower", -0.1), ("upper", 0.005))
    }
    rows = [
        {"classifier": path, "rule": rule, "threshold": 0.4321, "prevalence": share}
        for path in ("path_c", "path_f")
        for rule in ("youden", "sensitivity")
        for share in (0.05, 0.2)
    ]
    return pd.DataFrame(rows).assign(**shares, **bounds)


def calibration():
    estimates = {"slope": 0.71, "intercept": -0.234, "brier": 0.1678}
    bounds = {
        f"{name}_{end}": estimates[name] + margin
        for name in ("slope", "intercept")
        for end, margin in (("lower", -0.1), ("upper", 0.1))
    }
    table = pd.DataFrame({"classifier": ["path_c", "path_f"], "recalibration": "none"})
    return table.assign(**estimates, **bounds)


def subgroups():
    return pd.DataFrame(
        {
            "variable": ["sex", "sex", "site"],
            "level": ["F", "M", "North|East"],
            "images": [49, 51, 100],
            "patients": [22, 23, 45],
            "cases": [37, 38, 75],
            "classifier": "path_c",
            "auroc": [0.7901, 0.8302, 0.8123],
            "lower": [0.7, 0.7, 0.7011],
            "upper": [0.9, 0.9, 0.8833],
        }
    )


def audit():
    leak = {
        "stage": "path_c.phase3",
        "part": "test",
        "earlier_stage": "phase1",
        "earlier_part": "train",
        "kind": "same_patient",
    }
    counts = {"n_images": 4, "n_patients": 2, "of_images": 100, "of_patients": 45}
    metadata = {"training_set": "phase3", "label": "covid19", "part": "test"}
    return AuditTables(
        leakage=pd.DataFrame([{**leak, **counts, "verdict": "warn"}]),
        associations=pd.DataFrame(),
        metadata_auroc=pd.DataFrame(
            [
                {**metadata, "predictors": name, "n_levels": 2, "auroc": auroc}
                for name, auroc in (("view", 0.6543), ("sex", 0.5111))
            ]
        ).assign(lower=0.4, upper=0.7),
        source_labels=pd.DataFrame(
            {"training_set": ["phase3"], "source": ["ricord"], "label": "covid19"}
        ),
    )


def pairs():
    return pd.DataFrame(
        {"p_clustered": [0.01], "detectable": [0.0876], "first": ["path_c"]}
    )


def trainings():
    return pd.DataFrame(
        {
            "training": ["phase1", "path_c_phase3", "path_f_phase3"],
            "after": ["random weights", "random weights → phase1", "random weights"],
            "train": [600, 240, 240],
            "epochs": [14, 14, 14],
            "versions": "covid_cxr 0.1.0",
        }
    )


@pytest.fixture(scope="package")
def records():
    phase1 = training("phase1")
    generation = {key: phase1[key] for key in phase1 if key != "parents"}
    return {
        "phase1": phase1,
        "path_c_phase3": training("path_c.phase3", [{"stage": "initial"}, generation]),
        "path_f_phase3": training("path_f.phase3", [{"stage": "initial"}]),
    }


@pytest.fixture(scope="package")
def provenance(records):
    return Provenance(
        provenance_results=list_provenance(
            code={"version": "0.1.0", "commit": "c0ffee" * 6 + "beef", "edited": "no"},
            packages={"python": "3.11.9", "numpy": "2.4.6"},
            data={"covid_crops": "absent", "covid_images": "cd" * 32},
            records=records,
            parameters=printable(PARAMETERS),
        )
    )


@pytest.fixture(scope="package")
def evidence(reporting, evaluation, records, provenance):
    """Return all that a study of paths (c) and (f) can leave; (c) is chosen."""
    return Evidence(
        reporting=reporting,
        evaluation=evaluation,
        parameters=printable(PARAMETERS),
        provenance=provenance,
        records=records,
        cohort_counts=pd.DataFrame(
            [
                {"cohort": "nih", "is_synthetic": False, "images": 800},
                {"cohort": "covid", "is_synthetic": False, "images": 420},
            ]
        ).assign(patients=[390, 195], rejected=[0, 3]),
        flow_results=flow(),
        part_counts=parts(),
        cohort_results=characteristics(),
        trainings=trainings(),
        table3=table3(),
        seed_variance=seeds(),
        table4=pairs(),
        table5=pairs(),
        audit=audit(),
        operating_results=operating(),
        calibration_results=calibration(),
        subgroup_results=subgroups(),
    )


@pytest.fixture(scope="package")
def bare(evidence):
    """Return what path (f) alone leaves, without evaluation and with old records."""
    results = ("operating_results", "calibration_results", "subgroup_results")
    optional = ("table4", "table5", "audit", *results)
    return dataclasses.replace(
        evidence,
        table3=table3().tail(1),
        records={"path_f_phase3": {"stage": "path_f.phase3"}},
        parameters={},
        **dict.fromkeys(optional),
    )
