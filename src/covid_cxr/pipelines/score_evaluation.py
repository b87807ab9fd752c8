"""What is asked of any table of scores: nodes over its validation and test part.

No pipeline of its own: `evaluation` instantiates these nodes for the paths' scores,
`comparison` for anybody's. A part that cannot be had, or has one class only, leaves
tables without rows and figures that say why; it stops nothing.
"""

from collections.abc import Callable, Mapping
from functools import partial, update_wrapper
from typing import Any

import pandas as pd
from kedro.pipeline import Node

from covid_cxr.evaluation import (
    aurocs,
    calibration_tables,
    ensembles,
    subgroups,
    thresholds,
)
from covid_cxr.evaluation.arranged_scores import parts_of
from covid_cxr.evaluation.settings import Evaluation, Reporting
from covid_cxr.figures import decisions, forest, note, reliability, roc
from covid_cxr.figures.palette import classifier_colours, classifier_dashes
from covid_cxr.report import wording
from covid_cxr.statistics.roc import trace_roc
from covid_cxr.statistics.roc_band import roc_band

_NO_CALIBRATION = "Calibration needs a validation part, and probabilities on [0, 1]."
_NO_SUBGROUP = "No subgroup of the test part has an AUROC of the chosen classifier."


def evaluate_scores(*, are_paths: bool) -> list[Node]:
    """Return the nodes from `arranged_scores` and `subgroup_levels` to results.

    Args:
        are_paths: Whether the classifiers are the paths, which have titles and colours
            of their own; anybody's keep their names, were it "path_a".
    """
    given = {"scores": "arranged_scores", "reporting": "params:reporting"}
    settings = {**given, "evaluation": "params:evaluation"}
    return [
        Node(
            tabulate_aurocs,
            inputs=settings,
            outputs="auroc_results",
            name="tabulate_aurocs",
        ),
        Node(
            _with(draw_roc, are_paths=are_paths),
            inputs=given,
            outputs=["roc_figure", "roc_interactive"],
            name="draw_roc",
        ),
        Node(
            tabulate_operating_points,
            inputs=settings,
            outputs="operating_results",
            name="tabulate_operating_points",
        ),
        Node(
            calibrate,
            inputs=settings,
            outputs=["calibration_results", "reliability_results", "decision_results"],
            name="calibrate",
        ),
        Node(
            _with(draw_reliability, are_paths=are_paths),
            inputs={"bins": "reliability_results"},
            outputs="reliability_figure",
            name="draw_reliability",
        ),
        Node(
            _with(draw_decisions, are_paths=are_paths),
            inputs={"curves": "decision_results"},
            outputs="decision_figure",
            name="draw_decisions",
        ),
        Node(
            tabulate_ensembles,
            inputs=given,
            outputs="ensemble_results",
            name="tabulate_ensembles",
        ),
        Node(
            tabulate_subgroups,
            inputs={**settings, "levels": "subgroup_levels"},
            outputs="subgroup_results",
            name="tabulate_subgroups",
        ),
        Node(
            _with(draw_forest, are_paths=are_paths),
            inputs={"results": "subgroup_results", "auroc": "auroc_results"},
            outputs="forest_figure",
            name="draw_forest",
        ),
    ]


def tabulate_aurocs(
    scores: pd.DataFrame, reporting: Reporting, evaluation: Evaluation
) -> pd.DataFrame:
    """Return the AUROC of each classifier on the test part.

    Args:
        scores: From `arrange_scores`, as for all nodes here.
        reporting: For the level of the intervals.
        evaluation: For the bootstrap and the partial area.
    """
    return aurocs.tabulate_aurocs(
        parts_of(scores), reporting=reporting, evaluation=evaluation
    )


def draw_roc(
    scores: pd.DataFrame, reporting: Reporting, *, are_paths: bool
) -> tuple[Any, Any]:
    """Return the ROC curves on the test part, for print and interactive.

    Every interactive curve has its band by patient; in print, where bands
    would hide each other, only the classifier that validation chose.

    Args:
        scores: From `arrange_scores`.
        reporting: For the level of the bands.
        are_paths: As for `evaluate_scores`, and so for all nodes that draw.
    """
    parts = parts_of(scores)
    test = parts.test
    names = [str(name) for name in test.scores]
    aucs = zip(names, test.estimate(by_patient=False).auc, strict=True)
    titles = {
        name: f"{_title(name, are_paths=are_paths)}: {auc:.3f}" for name, auc in aucs
    }
    curves = {titles[n]: trace_roc(test.is_case, test.scores[n]) for n in names}
    bands = {
        titles[name]: roc_band(
            test.is_case,
            test.scores[name],
            cluster=test.clusters,
            level=reporting.level,
        )
        for name in names
    }
    styles = _styles(titles, are_paths=are_paths)
    chosen = parts.chosen
    first = None if chosen is None else titles[chosen]
    printed = {title: band for title, band in bands.items() if title == first}
    return (
        roc.draw_roc(curves, bands=printed, **styles),
        roc.draw_interactive_roc(curves, bands=bands, first=first, **styles),
    )


def tabulate_operating_points(
    scores: pd.DataFrame, reporting: Reporting, evaluation: Evaluation
) -> pd.DataFrame:
    """Return thresholds from validation, judged on test.

    No row where validation does not have both classes.

    Args:
        scores: From `arrange_scores`.
        reporting: For the level of the intervals.
        evaluation: For the target sensitivity and the prevalences.
    """
    parts = parts_of(scores)
    if parts.validation is None or not parts.validation.has_both_classes:
        return _no_rows()
    return thresholds.tabulate_operating_points(
        parts.validation, parts.test, reporting=reporting, evaluation=evaluation
    )


def calibrate(
    scores: pd.DataFrame, reporting: Reporting, evaluation: Evaluation
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return calibration estimates, reliability curves and decision curves.

    No rows where the scores are no probabilities, or there is no validation part.

    Args:
        scores: From `arrange_scores`.
        reporting: For the level of the intervals.
        evaluation: For the number of bins.
    """
    parts = parts_of(scores)
    validation, test = parts.validation, parts.test
    if validation is None or not (
        validation.are_probabilities and test.are_probabilities
    ):
        return _no_rows(), _no_rows(), _no_rows()
    return (
        calibration_tables.tabulate_calibration(validation, test, reporting=reporting),
        calibration_tables.trace_reliability(
            validation, test, reporting=reporting, evaluation=evaluation
        ),
        calibration_tables.trace_decisions(validation, test),
    )


def draw_reliability(bins: pd.DataFrame, *, are_paths: bool) -> Any:
    """Return the reliability curves, as they are and after Platt's map.

    Args:
        bins: From `calibrate`.
        are_paths: As for `draw_roc`.
    """
    if bins.empty:
        return note.draw_note(_NO_CALIBRATION)
    as_it_is, recalibrated = (
        _by_title(bins[bins["recalibration"] == kind], are_paths=are_paths)
        for kind in (calibration_tables.AS_IT_IS, calibration_tables.PLATT)
    )
    styles = _styles(_titles(bins, are_paths=are_paths), are_paths=are_paths)
    return reliability.draw_reliability(
        as_it_is, recalibrated=recalibrated, colours=styles["colours"]
    )


def draw_decisions(curves: pd.DataFrame, *, are_paths: bool) -> Any:
    """Return the decision curves.

    Args:
        curves: From `calibrate`.
        are_paths: As for `draw_roc`.
    """
    if curves.empty:
        return note.draw_note(_NO_CALIBRATION)
    styles = _styles(_titles(curves, are_paths=are_paths), are_paths=are_paths)
    return decisions.draw_decisions(_by_title(curves, are_paths=are_paths), **styles)


def tabulate_ensembles(scores: pd.DataFrame, reporting: Reporting) -> pd.DataFrame:
    """Return the ensembles of the classifiers, against each of them.

    Args:
        scores: From `arrange_scores`.
        reporting: For the level of the intervals.
    """
    return ensembles.tabulate_ensembles(parts_of(scores), reporting=reporting)


def tabulate_subgroups(
    scores: pd.DataFrame,
    levels: pd.DataFrame,
    reporting: Reporting,
    evaluation: Evaluation,
) -> pd.DataFrame:
    """Return the AUROC of each classifier in each subgroup of the test part.

    Args:
        scores: From `arrange_scores`.
        levels: `image_id`, and a column of text per grouping.
        reporting: For the level of the intervals.
        evaluation: For the smallest subgroup.
    """
    return subgroups.tabulate_subgroups(
        parts_of(scores).test, levels, reporting=reporting, evaluation=evaluation
    )


def draw_forest(results: pd.DataFrame, auroc: pd.DataFrame, *, are_paths: bool) -> Any:
    """Return the subgroups of the classifier that validation chose.

    Args:
        results: From `tabulate_subgroups`.
        auroc: From `tabulate_aurocs`: says which classifier that is.
        are_paths: As for `draw_roc`.
    """
    chosen = auroc[auroc["is_chosen"]]
    rows = results[results["classifier"].isin(chosen["classifier"])]
    rows = rows[rows["auroc"].notna()]
    if rows.empty:
        return note.draw_note(_NO_SUBGROUP)
    (name,) = chosen["classifier"]
    colours = classifier_colours(auroc["classifier"], are_paths=are_paths)
    return forest.draw_forest(
        rows, overall=chosen["auroc"].item(), colour=colours[name]
    )


def _no_rows() -> pd.DataFrame:
    return pd.DataFrame({"classifier": pd.Series(dtype="str")})


def _with(draw: Callable[..., Any], *, are_paths: bool) -> Callable[..., Any]:
    """Return a node's function with a name and module, which Kedro asks for."""
    bound = update_wrapper(partial(draw, are_paths=are_paths), draw)
    del bound.__wrapped__  # what is given is no argument of the node any more
    return bound


def _title(name: str, *, are_paths: bool) -> str:
    return wording.classifier(name) if are_paths else name


def _titles(table: pd.DataFrame, *, are_paths: bool) -> dict[str, str]:
    names = table["classifier"].astype("str").unique()
    return {name: _title(name, are_paths=are_paths) for name in names}


def _by_title(
    table: pd.DataFrame,
    *,
    are_paths: bool,
) -> dict[str, pd.DataFrame]:
    groups = table.groupby("classifier", sort=False)
    return {_title(str(name), are_paths=are_paths): rows for name, rows in groups}


def _styles(titles: Mapping[str, str], *, are_paths: bool) -> dict[str, Any]:
    """Return colours and dashes by title."""
    colours = classifier_colours(titles, are_paths=are_paths)
    dashes = classifier_dashes(titles, are_paths=are_paths)
    return {
        "colours": {titles[name]: colour for name, colour in colours.items()},
        "dashes": {titles[name]: lengths for name, lengths in dashes.items()},
    }
