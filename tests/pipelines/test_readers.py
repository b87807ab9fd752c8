"""A reader study through `comparison`: the published example, alone and with scores."""

import numpy as np
import pandas as pd
import pytest

# Van Dyke et al. 1993, two modalities (cine and spin echo) and five readers on 69
# controls and 45 cases, as inst/MRMCRuns/VD/VD.lrc of R's RJafroc has it. For each
# reader, up to a slash: each case's rating with the first modality, then the second.
CONTROLS = """
13232312521212121312 11134112121212121211 11113111341211231142
12111413123311221321 12122233331131111333 33111113141112242211
121411343422111111 /
23322222222222222332 22225222222132222222 21222222432222222232
22212222212222222222 23212222232222222222 22222222232222433222
223222222222212222 /
22242222325213122222 41214123222232222122 11213221441111352122
11112221224212211242 12211113222121212223 33211113221211222312
135411422412211221 /
12121111111133111211 11111112121111111211 21111111231211121122
11111111121211111211 11111111121112113231 12121111111111121112
111111331213121111 /
32521321121212122122 22122111111222221112 32222112131212231211
22111222321221211211 12313133221112122313 12111212121211324212
223311221323111131 /
"""
CASES = """
55535555455555554455 55554534442343555555 55555555135545435545
55553454555515135555 5545455511 /
55335555555555452255 55554344242224555455 55555455224532335545
55532244225525225555 5555355522 /
55425555555555555555 55555345243154555555 55555555225523235555
55542355555525235455 5555555521 /
55545555555555555455 55555455551555555555 55555555545545544445
55553555555515235555 5555555555 /
55225524555555551554 45554354232333555555 55555545124541332322
15531255145515135355 5535555523 /
"""
PRINTED = {  # by OR-DBM MRMC 2.51 of that file (inst/IowaResults of RJafroc), jackknife
    "cine": [0.91964573, 0.85877617, 0.90386473, 0.97310789, 0.82979066],
    "spin echo": [0.94782609, 0.90531401, 0.92173913, 0.99935588, 0.92995169],
}


def van_dyke():
    rows = [
        (f"{kind} {case + 1}", f"R{reader + 1}", modality, rating, is_case)
        for kind, texts, is_case in (("N", CONTROLS, 0), ("D", CASES, 1))
        for reader, text in enumerate(texts.split("/")[:-1])
        for place, rating in enumerate(map(int, "".join(text.split())))
        for case, modality in [(place // 2, list(PRINTED)[place % 2])]
    ]
    columns = ["case", "reader", "modality", "rating", "truth"]
    return pd.DataFrame(rows, columns=columns)


@pytest.fixture(scope="module")
def outputs(run_kedro, tmp_path_factory):
    root = tmp_path_factory.mktemp("readers")
    van_dyke().to_csv(root / "readers.csv", index=False)
    params = {
        "scores": "none",
        "reader_table": str(root / "readers.csv"),
        "readers": {"patient": "none", "covariance": "jackknife"},
        "evaluation": {"bootstrap_replicates": 50},
    }
    run_kedro("comparison", data_root=root, params=params)
    return root / "08_reporting/comparison"


def test_the_published_analysis_comes_out_to_its_printed_digits(outputs):
    aurocs = pd.read_csv(outputs / "reader_auroc.csv")
    (test,) = pd.read_csv(outputs / "reader_test.csv").to_dict("records")
    quantities = pd.read_csv(outputs / "reader_component.csv")

    for modality, printed in PRINTED.items():
        own = aurocs[(aurocs["modality"] == modality) & (aurocs["reader"] != "mean")]
        assert own["auroc"].tolist() == pytest.approx(printed, abs=5e-9)
    components = quantities.set_index("quantity")["value"]
    assert components.to_dict() == pytest.approx(
        {
            "MS(T*R)": 0.00055103,
            "Var(error)": 0.00080229,
            "Cov1": 0.00034661,
            "Cov2": 0.00034407,
            "Cov3": 0.00023903,
        },
        abs=5e-9,
    )
    assert (test["first"], test["second"]) == ("spin echo", "cine")
    assert test["f"] == pytest.approx(4.46, abs=5e-3)
    assert test["freedom"] == pytest.approx(15.26, abs=5e-3)
    assert test["p_value"] == test["p_all"] == pytest.approx(0.0517, abs=5e-5)
    assert test["difference"] == pytest.approx(0.04380, abs=5e-6)
    bounds = test["lower"], test["upper"]
    assert bounds == pytest.approx((-0.00036, 0.08796), abs=5e-6)
    means = aurocs[aurocs["reader"] == "mean"].set_index("modality")
    assert means.loc["cine"].tolist()[1:] == pytest.approx(
        [0.89703704, 0.82522360, 0.96885048], abs=5e-9
    )
    assert means.loc["spin echo"].tolist()[1:] == pytest.approx(
        [0.94083736, 0.89413783, 0.98753689], abs=5e-9
    )


def test_the_page_says_what_was_asked_done_and_found(outputs):
    html = (outputs / "report.html").read_text()

    section = html.split('id="readers"')[1]
    assert "5 readers read 114 cases (45 with the finding)" in section
    assert "spin echo minus cine" in section
    assert "jackknife covariance of patients and Hillis" in section
    assert "+0.044" in section
    assert "0.088" in section


def test_readers_alone_are_compared_as_classifiers_too(outputs):
    aurocs = pd.read_csv(outputs / "auroc.csv").set_index("classifier")["auroc"]

    assert len(aurocs) == 10
    assert aurocs["R4, spin echo"] == pytest.approx(0.99935588, abs=5e-9)


def test_beside_a_table_of_scores_it_is_a_section_of_its_own(run_kedro, tmp_path):
    readings = van_dyke()
    cases = readings.drop_duplicates("case")
    rng = np.random.default_rng(1)
    scores = pd.DataFrame(
        {
            "image": cases["case"],
            "patient": cases["case"],
            "label": cases["truth"],
            "resnet": cases["truth"] + rng.standard_normal(len(cases)),
        }
    )
    readings.to_csv(tmp_path / "readers.csv", index=False)
    scores.to_csv(tmp_path / "scores.csv", index=False)
    params = {
        "scores": str(tmp_path / "scores.csv"),
        "reader_table": str(tmp_path / "readers.csv"),
        "readers": {"patient": "none"},
        "evaluation": {"bootstrap_replicates": 50},
    }

    run_kedro("comparison", data_root=tmp_path, params=params)

    folder = tmp_path / "08_reporting/comparison"
    assert pd.read_csv(folder / "auroc.csv")["classifier"].tolist() == ["resnet"]
    (test,) = pd.read_csv(folder / "reader_test.csv").to_dict("records")
    assert test["p_value"] == pytest.approx(0.0512, abs=5e-5)  # DeLong's covariance
    assert "covariance of DeLong" in (folder / "report.html").read_text()


def test_neither_scores_nor_readers_is_refused(run_kedro, tmp_path):
    with pytest.raises(ValueError, match="neither a table of scores nor one of reade"):
        run_kedro("comparison", data_root=tmp_path, params={"scores": "none"})
