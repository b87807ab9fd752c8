"""A parameter that nothing reads is refused, wherever it comes from."""

import pytest
from kedro.config import OmegaConfigLoader
from kedro.framework.session import KedroSession

from covid_cxr.known_parameters import known_parameters, refuse_unknown, refuse_urls

KNOWN = {
    "network": {"size_px": 512, "seed": 1},
    "audit": {"on_leak": {"same_image": "warn"}},
    "synthesis": {"defects": {}},
    "phase3": {"recipe": {"learning_rate": 0.1}},
}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"netwrok": {"size_px": 64}}, r"netwrok \(is network meant\?\)"),
        ({"network": {"size": 64}}, r"network.size \(is network.size_px meant\?\)"),
        ({"dataroot": "x"}, r"dataroot \(is data_root meant\?\)"),
        (
            {"audit": {"on_leaks": {"same_image": "fail"}}},
            r"audit.on_leaks \(is audit.on_leak meant\?\)",
        ),
        (
            {"audit": {"on_leak": {"same_images": "fail"}}},
            r"audit.on_leak.same_images \(is audit.on_leak.same_image meant\?\)",
        ),
        ({"phase3": {"recpie": {}}}, "phase3.recpie"),
        ({"zzz": 1, "yyy": 2}, "zzz, yyy"),
    ],
)
def test_an_unknown_parameter_is_refused_with_the_nearest_name(given, named):
    with pytest.raises(ValueError, match=named):
        refuse_unknown(given, KNOWN, elsewhere={"data_root"})


@pytest.mark.parametrize(
    "given",
    [
        {"network": {"size_px": 64}},
        {"data_root": "elsewhere"},
        {"synthesis": {"defects": {"nih": 3}}},
        {"audit": None},
    ],
)
def test_known_parameters_pass(given):
    refuse_unknown(given, KNOWN, elsewhere={"data_root"})


@pytest.mark.parametrize("root", ["s3://bucket/x", "gs://b", "az://c", "file:///tmp/x"])
def test_a_root_that_is_a_url_is_refused(root):
    with pytest.raises(ValueError, match=f"data_root: .* is {root}"):
        refuse_urls({"data_root": root})


@pytest.mark.parametrize("root", ["data", "/data", "../data", "C", None])
def test_a_root_that_is_a_folder_passes(root):
    refuse_urls({"data_root": root})


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"netwrok": {"size_px": 64}}, "netwrok"),
        ({"dataroot": "/elsewhere"}, "dataroot"),
        (
            {"covid_ingestions": {"pseudonym_salt": "0123456789abcdef"}},
            "covid_ingestion ",
        ),
        ({"data_root": "s3://bucket/study"}, "s3://bucket"),
    ],
)
def test_a_session_stops_before_its_first_node(project, given, named):
    with (
        KedroSession.create(project, env="test", runtime_params=given) as session,
        pytest.raises(ValueError, match=named),
    ):
        session.load_context()


@pytest.mark.parametrize(
    "record", ["nih_ingestion", "rsna_ingestion", "covid_ingestion", "crop_matching"]
)
def test_the_bounds_of_unmatched_names_are_known_and_misspelt_ones_refused(
    project, record
):
    loader = OmegaConfigLoader(str(project / "conf"), base_env="base", env="base")
    known = known_parameters(loader)

    refuse_unknown({record: {"max_unmatched_share": 1}}, known, elsewhere=set())
    for name in ("max_unmatched", "max_unmatched_shares", "unmatched_share"):
        with pytest.raises(ValueError, match=rf"{record}\.{name} \(is .*share meant"):
            refuse_unknown({record: {name: 1}}, known, elsewhere=set())


@pytest.mark.parametrize("env", ["local", "ward"])
def test_a_misspelt_record_of_an_environment_is_refused(project, tmp_path, env):
    conf = tmp_path / "conf"
    (conf / env).mkdir(parents=True)
    (conf / "base").symlink_to(project / "conf" / "base")
    (conf / env / "parameters.yml").write_text("netwrok: {size_px: 64}\n")
    session = KedroSession.create(project, env=env, conf_source=str(conf))

    with session, pytest.raises(ValueError, match="netwrok"):
        session.load_context()


@pytest.mark.parametrize("env", ["base", "demo", "test", "public"])
def test_every_environment_that_is_delivered_passes(project, env):
    with KedroSession.create(project, env=env) as session:
        assert session.load_context().params["network"]


@pytest.mark.parametrize(
    ("env", "roots", "stated", "folder"),
    [
        ("public", "", {}, "data/01_raw/covid-chestxray-dataset"),
        ("ward", "covid_root: of_the_ward\n", {}, "of_the_ward"),
        ("local", "covid_root: of_the_ward\n", {}, "of_the_ward"),
        ("ward", "covid_root: of_the_ward\n", {"covid_root": "stated"}, "stated"),
    ],
)
def test_the_globals_of_an_environment_reach_its_catalog(
    project, tmp_path, env, roots, stated, folder
):
    conf = tmp_path / "conf"
    conf.mkdir()
    (conf / "base").symlink_to(project / "conf" / "base")
    public = project / "conf" / "public"
    if roots:
        (conf / env).mkdir()
        (conf / env / "globals.yml").write_text(roots)
        (conf / env / "catalog.yml").symlink_to(public / "catalog.yml")
    else:
        (conf / env).symlink_to(public)
    session = KedroSession.create(
        project, env=env, conf_source=str(conf), runtime_params=stated
    )

    with session:
        images = session.load_context().catalog["covid_images"]

    assert f"{folder}/images" in str(images)
