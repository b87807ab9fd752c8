"""Figure 1."""

from covid_cxr.figures.paths import draw_paths
from covid_cxr.paths import TRAINING_PATHS, TrainingPath


def texts(figure):
    [axes] = figure.axes
    return [text.get_text() for text in axes.texts]


def test_every_path_has_its_row_of_trainings():
    shown = texts(draw_paths(TRAINING_PATHS, training_images={}))

    assert [path.title for path in TRAINING_PATHS if path.title in shown] == [
        path.title for path in TRAINING_PATHS
    ]
    assert sum("14 findings" in text for text in shown) == 3
    assert sum("(RSNA)" in text for text in shown) == 2
    assert sum("COVID-19" in text for text in shown) == 6


def test_the_boxes_say_how_many_images_were_trained_on():
    shown = texts(draw_paths(TRAINING_PATHS[:1], training_images={"phase1": 75828}))

    assert "14 findings\n(NIH)\n75,828 images" in shown
    assert "COVID-19" in shown  # its number is not known


def test_an_arrow_leads_to_every_training():
    figure = draw_paths(TRAINING_PATHS, training_images={})

    arrows = [text for text in figure.axes[0].texts if text.get_text() == ""]
    assert len(arrows) == 3 + 4 + 6


def test_a_seventh_path_appears_by_itself():
    seventh = TrainingPath(
        letter="g", has_phase1=False, phase2_cohort="nih", description="another"
    )

    shown = texts(draw_paths((*TRAINING_PATHS, seventh), training_images={}))

    assert "Path (g)" in shown
