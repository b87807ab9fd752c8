"""Figure 1."""

from covid_cxr.figures.paths import draw_paths
from covid_cxr.study.current import current
from covid_cxr.study.design import TrainingPath


def texts(figure):
    [axes] = figure.axes
    return [text.get_text() for text in axes.texts]


def test_every_path_has_its_row_of_trainings():
    shown = texts(draw_paths(current().paths, training_images={}))

    assert [path.title for path in current().paths if path.title in shown] == [
        path.title for path in current().paths
    ]
    assert sum("14 findings" in text for text in shown) == 3
    assert sum("(RSNA)" in text for text in shown) == 2
    assert sum("COVID-19" in text for text in shown) == 6


def test_the_boxes_say_how_many_images_were_trained_on():
    shown = texts(draw_paths(current().paths[:1], training_images={"phase1": 75828}))

    assert "14 findings\n(NIH)\n75,828 images" in shown
    assert "COVID-19" in shown  # its number is not known


def test_an_arrow_leads_to_every_training():
    figure = draw_paths(current().paths, training_images={})

    arrows = [text for text in figure.axes[0].texts if text.get_text() == ""]
    assert len(arrows) == 3 + 4 + 6


def test_a_seventh_path_appears_by_itself():
    seventh = TrainingPath(
        letter="g", training_sets=("phase2_nih", "phase3"), description="another"
    )

    shown = texts(draw_paths((*current().paths, seventh), training_images={}))

    assert "Path (g)" in shown


def test_refinements_one_after_another_have_a_column_each():
    chain = TrainingPath(
        letter="g",
        training_sets=("phase1", "phase2_rsna", "phase2_nih", "phase3"),
        description="both",
    )

    figure = draw_paths((*current().paths, chain), training_images={})

    assert texts(figure)[:5] == ["Start", "Phase 1", "Phase 2", "Phase 2", "Phase 3"]
    arrows = [text for text in figure.axes[0].texts if text.get_text() == ""]
    assert len(arrows) == 3 + 4 + 6 + 4
