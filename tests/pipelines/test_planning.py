"""`planning`: what is asked of a test set to its size, with and without a pilot."""

import numpy as np
import pandas as pd
import pytest

from covid_cxr.statistics.auc import estimate_aucs

ASKED = [
    *("width of the AUROC's interval", "difference of two AUROCs"),
    *("non-inferiority of an AUROC", "width of the sensitivity's interval"),
]


@pytest.fixture(scope="module")
def pilot():
    rng = np.random.default_rng(1)
    patient = np.repeat(np.arange(60), 2)
    label = np.repeat(rng.random(60) < 0.5, 2)
    own = rng.standard_normal(60)[patient]
    signal = 1.2 * label[:, None] + own[:, None] + rng.standard_normal((120, 2))
    return pd.DataFrame(
        {
            "image": [f"x{i}.png" for i in range(120)],
            "patient": patient,
            "label": label.astype(int),
            "resnet": signal[:, 0],
            "vit": signal[:, 1],
        }
    )


def test_what_is_stated_is_planned_and_shown(run_kedro, tmp_path):
    run_kedro("planning", data_root=tmp_path)

    folder = tmp_path / "08_reporting"
    planned = pd.read_csv(folder / "planning.csv")
    assert planned["question"].tolist() == ASKED
    assert (planned["images"] >= 2 * planned["patients"]).all()
    of_power = planned["sentence"][1:3].str
    assert of_power.contains("has a power of 80 %").all()
    assert of_power.extract(r"-sided test at ([\d.]+)")[0].tolist() == ["0.05", "0.025"]
    expected = pd.read_csv(folder / "planning_expected.csv")
    assert set(expected["origin"]) == {"stated"}
    html = (folder / "planning.html").read_text()
    for sentence in planned["sentence"]:
        assert sentence[:60] in html
    assert html.count('src="data:image/png;base64') == 1
    assert 'src="http' not in html
    assert (folder / "planning.pdf").stat().st_size > 1000


def test_a_pilot_takes_the_place_of_what_is_stated(run_kedro, tmp_path, pilot):
    pilot.to_csv(tmp_path / "pilot.csv", index=False)

    run_kedro(
        "planning", data_root=tmp_path, params={"pilot": str(tmp_path / "pilot.csv")}
    )

    expected = pd.read_csv(tmp_path / "08_reporting/planning_expected.csv")
    value = expected.set_index("quantity")["value"]
    estimates = estimate_aucs(
        pilot["label"] == 1, pilot[["resnet", "vit"]], cluster=pilot["patient"]
    )
    assert value["auroc"] == pytest.approx(estimates.auc[0])
    assert value["images_per_patient"] == 2
    assert expected["origin"].str.contains("pilot of 60 patients").all()
    planned = pd.read_csv(tmp_path / "08_reporting/planning.csv")
    assert planned["sentence"].str.contains(f"{estimates.auc[0]:.3g}").sum() == 3


def test_a_pilot_that_is_named_and_not_there_is_refused(run_kedro, tmp_path):
    with pytest.raises(Exception, match=r"are missing:\n  pilot_table"):
        run_kedro("planning", data_root=tmp_path, params={"pilot": "/nowhere/x.csv"})


def test_what_cannot_be_asked_is_refused_with_its_parameter(run_kedro, tmp_path):
    asked_wrongly = {"margin": 5, "variance": "delong", "images_per_patient": "two"}
    for name, value in asked_wrongly.items():
        asked = {"planning": {name: value}}
        with pytest.raises(Exception, match=f"planning.{name}"):
            run_kedro("planning", data_root=tmp_path, params=asked)


def test_a_difference_beyond_a_good_pilot_is_refused_with_its_parameter(
    run_kedro, tmp_path, pilot
):
    good = pilot.assign(resnet=pilot["resnet"] + 3 * pilot["label"])
    good.to_csv(tmp_path / "pilot.csv", index=False)

    with pytest.raises(Exception, match=r"planning.difference of 0.05 .* AUROC of 0.9"):
        run_kedro(
            "planning",
            data_root=tmp_path,
            params={"pilot": str(tmp_path / "pilot.csv")},
        )
