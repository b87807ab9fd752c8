"""Colours of classifiers."""

from covid_cxr.figures.palette import PATH_COLOURS, classifier_colours


def test_a_path_has_its_colour_in_every_figure():
    assert classifier_colours(["path_c"]) == {"path_c": PATH_COLOURS[2]}


def test_classifiers_from_elsewhere_are_coloured_in_their_order():
    colours = classifier_colours(["resnet", "vit"])

    assert list(colours.values()) == list(PATH_COLOURS[:2])
