"""The figures of one evaluation: results to numbers, titles and colours of curves."""

from collections.abc import Callable, Mapping
from functools import partial, wraps
from typing import Any, ParamSpec

import pandas as pd

from covid_cxr.evaluation import calibration_tables
from covid_cxr.evaluation.arranged_scores import parts_of
from covid_cxr.evaluation.findings import split_by_finding
from covid_cxr.evaluation.inference_settings import Reporting
from covid_cxr.figures import decisions, forest, note, reliability, roc_curves
from covid_cxr.figures.palette import classifier_colours, classifier_dashes
from covid_cxr.figures.panels import draw_panels
from covid_cxr.report import wording
from covid_cxr.statistics.roc import trace_rocs
from covid_cxr.statistics.roc_band import roc_band
from covid_cxr.statistics.threads import in_threads

_NO_CALIBRATION = "Calibration needs a validation part, and probabilities on [0, 1]."
_NO_SUBGROUP = "No subgroup of the test part has an AUROC of the chosen classifier."

P = ParamSpec("P")


def panel_per_finding(draw: Callable[P, Any]) -> Callable[P, Any]:
    """Return the function that draws a panel for each finding where there are several.

    Args:
        draw: From a table to a matplotlib `Figure`, or to one and a plotly `Figure`.
    """

    @wraps(draw)
    def draw_each(*args: P.args, **given: P.kwargs) -> Any:
        of_each = split_by_finding(draw, *args, **given)
        if not of_each:
            return draw(*args, **given)
        named = {wording.label(finding): of for finding, of in of_each.items()}
        figure, made = draw_panels(named)
        interactive = {t: one[1] for t, one in made.items() if isinstance(one, tuple)}
        if not interactive:
            return figure
        return figure, roc_curves.join_interactive(interactive)

    return draw_each


@panel_per_finding
def draw_roc_curves(
    scores: pd.DataFrame, reporting: Reporting, *, are_paths: bool
) -> tuple[Any, Any]:
    """Return the ROC curves on the test part, for print and interactive.

    Every interactive curve has its band by patient; in print, where bands
    would hide each other, only the classifier that validation chose.

    Args:
        scores: As arranged.
        reporting: For the level of the bands.
        are_paths: Whether the classifiers are the paths, which have titles and
            colours of their own; anybody's keep their names, were it "path_a".
    """
    parts = parts_of(scores)
    test = parts.test
    names = [str(name) for name in test.scores]
    aucs = zip(names, test.estimate(by_patient=False).auc, strict=True)
    titles = {
        name: f"{_title(name, are_paths=are_paths)}: {auc:.3f}" for name, auc in aucs
    }
    traced = trace_rocs(test.is_case, test.scores)
    curves = {titles[name]: curve for name, curve in traced.items()}
    found = in_threads(
        partial(roc_band, test.is_case, cluster=test.clusters, level=reporting.level),
        [test.scores[name] for name in names],
        n_images=len(test.is_case),
    )
    bands = dict(zip(titles.values(), found, strict=True))
    styles = _styles(titles, are_paths=are_paths)
    chosen = parts.chosen
    first = None if chosen is None else titles[chosen]
    printed = {title: band for title, band in bands.items() if title == first}
    return (
        roc_curves.draw_roc(curves, bands=printed, **styles),
        roc_curves.draw_interactive_roc(curves, bands=bands, first=first, **styles),
    )


@panel_per_finding
def draw_reliability_curves(bins: pd.DataFrame, *, are_paths: bool) -> Any:
    """Return the reliability curves, as they are and after Platt's map."""
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


@panel_per_finding
def draw_decision_curves(curves: pd.DataFrame, *, are_paths: bool) -> Any:
    """Return the decision curves."""
    if curves.empty:
        return note.draw_note(_NO_CALIBRATION)
    styles = _styles(_titles(curves, are_paths=are_paths), are_paths=are_paths)
    return decisions.draw_decisions(_by_title(curves, are_paths=are_paths), **styles)


@panel_per_finding
def draw_subgroups(
    results: pd.DataFrame, auroc: pd.DataFrame, *, are_paths: bool
) -> Any:
    """Return the subgroups of the classifier that validation chose."""
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
