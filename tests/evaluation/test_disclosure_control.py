"""An attacker who solves for small counts from all that an export tells."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import LinearConstraint, milp

from covid_cxr.evaluation.disclosure_control import control_disclosure
from covid_cxr.evaluation.external_cohorts import export_aggregates, state_primary
from covid_cxr.evaluation.external_scores import (
    ExternalValidation,
    tabulate_discrimination,
    tabulate_external_subgroups,
    tabulate_flow,
    tabulate_operating,
)

LEAST = 5
EXTERNAL = ExternalValidation(name="site", least_patients=2, least_cell=LEAST, seed=1)
LEVELS = {"site": ["x", "y", "z"], "sex": ["M", "F"]}
REASONS = ["too young", "may be a negative"]
KINDS = ("case", "control")


def cohort(seed):
    """Return scores and radiographs of a small cohort, of one radiograph a patient."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(30, 90))
    is_case = rng.random(n) < 0.5
    reason = rng.choice(["", *REASONS], size=n, p=[0.9, 0.06, 0.04])
    score = rng.normal(1.5 * is_case, 1)
    scores = pd.DataFrame(
        {
            "classifier": "net",
            "image_id": [str(i) for i in range(n)],
            "patient_id": [f"p{i}" for i in range(n)],
            "is_case": is_case,
            "score": np.where(reason == "", score, np.nan),
            "reason": pd.Series(reason).replace("", None),
        }
    )
    drawn = {
        name: rng.choice(
            levels, size=n, p=[0.06, *[0.94 / (len(levels) - 1)] * (len(levels) - 1)]
        )
        for name, levels in LEVELS.items()
    }
    own = scores[["image_id", "patient_id"]].assign(
        **drawn, view="PA", age_years=50.0, ill=is_case
    )
    return scores, own


def export(scores, own, reporting, evaluation, external=EXTERNAL):
    points = [
        {"rule": "youden", "threshold": 0.6},
        {"rule": "target", "threshold": -0.4},
    ]
    classifiers = {
        "net": {"sha256": "a", "label": {"name": "ill"}, "operating_points": points}
    }
    primary = state_primary(
        manifest=own,
        classifiers=classifiers,
        protocol={"sha256": None},
        external=external,
        flow=tabulate_flow(scores, pd.DataFrame({"reason": []}, dtype=str)),
        discrimination=tabulate_discrimination(
            scores, scores.iloc[:0], reporting=reporting, evaluation=evaluation
        ),
        operating=tabulate_operating(scores, classifiers, reporting=reporting),
    )
    mixed = [
        {"variable": name, "level": level, **sizes(own[rows], "ill")}
        for name, levels in {**LEVELS, "all": [None]}.items()
        for level in levels
        for rows in [own[name] == level if level else own["ill"].notna()]
    ]
    return export_aggregates(
        primary,
        external,
        case_mix=pd.DataFrame(mixed),
        subgroups=tabulate_external_subgroups(
            scores, own, reporting=reporting, evaluation=evaluation
        ),
    )["tables"]


def sizes(rows, label):
    n = len(rows)
    return {
        "images": n,
        "patients": n,
        "cases": int(rows[label].sum()),
        "prevalence": rows[label].mean(),
    }


class Attacker:
    """Integers that nobody tells, and all that an export says of their sums."""

    def __init__(self, *, counts_are_exact):
        self.counts_are_exact = counts_are_exact
        self.names, self.rows, self.lows, self.highs = [], [], [], []

    def cell(self, *name):
        if name not in self.names:
            self.names.append(name)
        return {self.names.index(name): 1}

    def total(self, *cells):
        summed = {}
        for cell in cells:
            for place, weight in cell.items():
                summed[place] = summed.get(place, 0) + weight
        return summed

    def is_between(self, cell, low, high):
        self.rows.append(cell)
        self.lows.append(low)
        self.highs.append(high)

    def is_equal(self, first, second):
        negative = {place: -weight for place, weight in second.items()}
        self.is_between(self.total(first, negative), 0, 0)

    def is_told(self, cell, value):
        """A count as the rules of rounding and withholding have it."""
        if value is None:
            self.is_between(cell, 0, 7)
        elif self.counts_are_exact:
            self.is_between(cell, *((1, 4) if 0 < value < 5 else (value, value)))
        else:
            self.is_between(cell, max(value - 2, 8), value + 2)

    def is_share(self, part, whole, share, step):
        """A share that is of exact counts, given to so many digits."""
        if share is not None and not np.isnan(share):
            for low, factor in ((True, share - step / 2), (False, share + step / 2)):
                scaled = {place: -factor * w for place, w in whole.items()}
                bounds = (0, np.inf) if low else (-np.inf, 0)
                self.is_between(self.total(part, scaled), *bounds)

    def bounds(self, cell):
        """Return the least and the greatest that a count can be."""
        matrix = np.zeros((len(self.rows), len(self.names)))
        for place, row in enumerate(self.rows):
            matrix[place, list(row)] = list(row.values())
        aim = np.zeros(len(self.names))
        aim[list(cell)] = list(cell.values())
        known = LinearConstraint(matrix, self.lows, self.highs)
        found = [
            milp(sign * aim, constraints=known, integrality=np.ones(len(aim)))
            for sign in (1, -1)
        ]
        assert all(one.success for one in found), found[0].message
        return round(found[0].fun), round(-found[1].fun)


def attack(tables, *, counts_are_exact=False):
    """Return an attacker who has read the tables, and the cells by what they are."""
    foe, told = Attacker(counts_are_exact=counts_are_exact), {}
    for kind in KINDS:
        predicted, refused = foe.cell("predicted", kind), foe.cell("refused", kind)
        foe.is_equal(
            refused, foe.total(*(foe.cell("refused for", r, kind) for r in REASONS))
        )
        for name, levels in LEVELS.items():
            for what, whole in (("predicted", predicted), ("refused", refused)):
                own = [foe.cell(what, name, level, kind) for level in levels]
                foe.is_equal(whole, foe.total(*own))
        for row in tables["operating"]:
            called = {
                word: foe.cell(word, row["rule"], kind)
                for word in ("positive", "negative")
            }
            foe.is_equal(predicted, foe.total(*called.values()))
            for word, cell in {**called, "refused": refused}.items():
                foe.is_told(cell, row[f"{kind}s_{word}"])
                told[word, row["rule"], kind] = cell
            right = called["positive" if kind == "case" else "negative"]
            share = {"case": "sensitivity", "control": "specificity"}[kind]
            of_all = foe.total(predicted, refused)
            foe.is_share(right, of_all, row[f"{share}_of_all"], 1e-6)
    (whole,) = tables["discrimination"]
    foe.is_told(foe.cell("predicted", "case"), whole["cases"])
    foe.is_told(foe.cell("predicted", "control"), whole["controls"])
    both = foe.total(*(foe.cell("refused", kind) for kind in KINDS))
    foe.is_told(both, whole["refused"])
    read_flow(foe, told, tables["flow"])
    read_levels(foe, told, tables)
    return foe, told


def read_flow(foe, told, flow):
    for row in flow:
        name = (
            ("predicted",)
            if row["outcome"] == "predicted"
            else ("refused for", row["reason"])
        )
        case, control = (foe.cell(*name, kind) for kind in KINDS)
        foe.is_told(foe.total(case, control), row["images"])
        foe.is_told(case, row["cases"])
        told[(*name, "case")] = case
        told[(*name, "images")] = foe.total(case, control)


def read_levels(foe, told, tables):
    for row in tables["case_mix"]:
        key = () if row["variable"] == "all" else (row["variable"], row["level"])
        own = {
            kind: foe.total(
                foe.cell("predicted", *key, kind), foe.cell("refused", *key, kind)
            )
            for kind in KINDS
        }
        foe.is_told(foe.total(*own.values()), row["images"])
        foe.is_told(own["case"], row["cases"])
        told |= {("mix", *key, kind): cell for kind, cell in own.items()}
    for row in tables["subgroups"]:
        if row["variable"] in LEVELS:
            key = row["variable"], row["level"]
            case, control = (foe.cell("predicted", *key, kind) for kind in KINDS)
            foe.is_told(foe.total(case, control), row["images"])
            foe.is_told(case, row["cases"])
            told |= {("predicted", *key, "case"): case}
            told |= {
                ("refused", *key, kind): foe.cell("refused", *key, kind)
                for kind in KINDS
            }


@pytest.mark.parametrize("seed", range(3))
def test_no_small_count_can_be_solved_for(seed, reporting, evaluation):
    scores, own = cohort(seed)

    foe, told = attack(export(scores, own, reporting, evaluation))

    for name, cell in told.items():
        low, high = foe.bounds(cell)
        assert low >= LEAST or high - low >= 2, (name, low, high)
    truth = (scores["is_case"] & scores["score"].isna()).sum()
    low, high = foe.bounds(told["refused", "youden", "case"])
    assert low <= truth <= high


@pytest.mark.parametrize("seed", range(2))
def test_leaving_out_small_counts_alone_tells_them(seed, reporting, evaluation):
    """Exact counts that are all at least 5, or left out: the attack succeeds."""
    scores, own = cohort(seed)
    exact = ExternalValidation(name="site", least_patients=2, least_cell=1, seed=1)

    tables = export(scores, own, reporting, evaluation, external=exact)
    foe, told = attack(tables, counts_are_exact=True)

    bounds = [foe.bounds(cell) for cell in told.values()]
    assert any(low == high and 0 < low < LEAST for low, high in bounds)


@pytest.fixture
def discrimination():
    return {
        "classifier": "net",
        "auroc": 0.81234567,
        "cases": 52,
        "controls": 61,
        "patients": 98,
        "refused": 3,
        "standard_error": 0.0412345,
        "degrees_of_freedom": 96.0,
        "auroc_refusals_wrong": 0.79,
        "caution": "",
        "no_difference": "no control among 1,234 radiographs",
    }


def test_a_large_cohort_keeps_its_auroc_and_no_small_count(discrimination):
    (found,) = control_disclosure({"discrimination": [discrimination]}, LEAST)[
        "discrimination"
    ]

    assert found == {
        "classifier": "net",
        "auroc": 0.812,
        "cases": 50,
        "controls": 60,
        "patients": 100,
        "refused": None,
        "standard_error": 0.0412,
        "degrees_of_freedom": None,
        "auroc_refusals_wrong": None,
        "caution": "",
        "no_difference": "no control among … radiographs",
    }


def test_nothing_is_told_of_a_class_that_is_small(discrimination):
    few = {**discrimination, "cases": 7}
    tables = {
        "discrimination": [few],
        "calibration": [{"classifier": "net", "brier": 0.2, "observed": 0.1}],
    }

    found = control_disclosure(tables, LEAST)

    assert found["discrimination"][0]["auroc"] is None
    assert found["discrimination"][0]["controls"] == 60
    assert found["calibration"] == [
        {"classifier": "net", "brier": None, "observed": None}
    ]


def test_shares_are_made_of_what_is_shown(discrimination):
    operating = {
        "classifier": "net",
        "rule": "youden",
        "threshold": 0.123456,
        "cases_positive": 49,
        "cases_negative": 3,
        "controls_negative": 44,
        "controls_positive": 17,
        "sensitivity": 49 / 52,
        "sensitivity_lower": 0.87,
        "specificity": 44 / 61,
        "ppv": 49 / 66,
    }
    mix = {"images": 113, "cases": 52, "prevalence": 52 / 113}

    found = control_disclosure(
        {
            "discrimination": [discrimination],
            "operating": [operating],
            "case_mix": [mix],
        },
        LEAST,
    )

    (row,) = found["operating"]
    assert row["threshold"] == 0.123456
    assert (row["cases_positive"], row["cases_negative"]) == (50, None)
    assert (row["sensitivity"], row["specificity"]) == (1.0, 0.75)
    assert row["sensitivity_lower"] is None
    assert row["ppv"] is None
    assert found["case_mix"] == [{"images": 115, "cases": 50, "prevalence": 0.435}]


def test_a_subgroup_of_few_controls_has_no_auroc(discrimination):
    sub = {"classifier": "net", "images": 40, "cases": 33, "auroc": 0.7}

    (found,) = control_disclosure(
        {"discrimination": [discrimination], "subgroups": [sub]}, LEAST
    )["subgroups"]

    assert found == {"classifier": "net", "images": 40, "cases": 35, "auroc": None}


def test_the_auroc_of_a_few_values_has_no_bounds(discrimination):
    """Of sex it is (1 + share of cases - share of controls) / 2: four counts."""
    row = {"predictors": "sex", "auroc": 0.6789, "lower": 0.5, "upper": 0.8}
    tables = {
        "discrimination": [discrimination],
        "shortcuts": [{**row, "n_patients": 40}],
        "membership": [row],
    }

    found = control_disclosure(tables, LEAST)

    coarse = {"predictors": "sex", "auroc": 0.68, "lower": None, "upper": None}
    assert found["shortcuts"] == [{**coarse, "n_patients": 40}]
    assert found["membership"] == [coarse]


def test_a_whole_number_that_nobody_knows_is_left_out(discrimination):
    row = {"predictors": "sex", "n_cases": 31.0, "n_controls": 11.0, "n_levels": 3.0}
    tables = {
        "discrimination": [discrimination],
        "membership": [
            {**row, "n_patients": 25, "auroc": 0.55, "of_whom": 6, "of_these": 1}
        ],
    }

    (found,) = control_disclosure(tables, LEAST)["membership"]

    assert (found["n_cases"], found["n_controls"], found["n_patients"]) == (30, 10, 25)
    assert found["of_whom"] is found["of_these"] is found["n_levels"] is None
    assert found["auroc"] == 0.55


def test_hypotheses_keep_their_verdict(discrimination):
    rows = [
        {"classifier": "net", "measure": "auroc", "estimate": 0.81234, "is_met": True},
        {
            "classifier": "net",
            "measure": "sensitivity",
            "rule": "youden",
            "above": 0.8125,
            "estimate": 49 / 52,
            "lower": 0.87,
            "is_met": True,
        },
    ]

    auroc, sensitivity = control_disclosure(
        {"discrimination": [discrimination], "hypotheses": rows}, LEAST
    )["hypotheses"]

    assert (auroc["estimate"], auroc["is_met"]) == (0.812, True)
    assert (sensitivity["estimate"], sensitivity["lower"]) == (None, None)
    assert (sensitivity["above"], sensitivity["is_met"]) == (0.8125, True)
