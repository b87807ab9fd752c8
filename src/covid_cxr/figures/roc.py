"""Figure 3: ROC curves of several classifiers on the same test part."""

from collections.abc import Mapping
from typing import Any

from covid_cxr.figures.palette import GRID, INK, MUTED
from covid_cxr.statistics.roc import RocCurve

_X_TITLE = "1 \N{MINUS SIGN} specificity"
_Y_TITLE = "Sensitivity"


def draw_roc(curves: Mapping[str, RocCurve], *, colours: Mapping[str, str]) -> Any:
    """Return the ROC curves as a matplotlib `Figure`.

    Args:
        curves: By the text of the legend, in its order.
        colours: By the same text.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6, 5.4), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=MUTED, linestyle=":", linewidth=1)
    for title, curve in curves.items():
        axes.plot(
            curve.false_positive_rate,
            curve.sensitivity,
            color=colours[title],
            label=title,
            linewidth=1.8,
        )
    axes.set(xlabel=_X_TITLE, ylabel=_Y_TITLE, xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    axes.set_aspect("equal")
    axes.grid(color=GRID, linewidth=0.6)
    axes.legend(loc="lower right", fontsize=9)
    return figure


def draw_interactive_roc(
    curves: Mapping[str, RocCurve], *, colours: Mapping[str, str]
) -> Any:
    """Return the ROC curves as a plotly `Figure` that shows thresholds.

    Args:
        curves: By the text of the legend, in its order.
        colours: By the same text.
    """
    from plotly.graph_objects import Figure

    figure = Figure()
    for title, curve in curves.items():
        figure.add_scatter(
            x=curve.false_positive_rate,
            y=curve.sensitivity,
            customdata=[_as_text(threshold) for threshold in curve.thresholds],
            name=title,
            mode="lines",
            line={"color": colours[title], "width": 2.2},
            hovertemplate=(
                "threshold %{customdata}<br>sensitivity %{y:.3f}"
                f"<br>{_X_TITLE} %{{x:.3f}}"
            ),
        )
    diagonal = {"color": MUTED, "dash": "dot", "width": 1}
    figure.add_shape(type="line", x0=0, y0=0, x1=1, y1=1, line=diagonal, layer="below")
    return figure.update_layout(_layout())


def _layout() -> dict[str, Any]:
    axis = {"range": [-0.01, 1.01], "gridcolor": GRID, "zeroline": False, "dtick": 0.2}
    return {
        "template": "plotly_white",
        "font": {"color": INK, "family": "system-ui, sans-serif", "size": 14},
        "xaxis": {"title": {"text": _X_TITLE}, **axis},
        "yaxis": {"title": {"text": _Y_TITLE}, **axis},
        "legend": {"orientation": "h", "y": -0.18, "yanchor": "top"},
        "margin": {"l": 60, "r": 16, "t": 16, "b": 16},
        "height": 620,
    }


def _as_text(threshold: float) -> str:
    """JSON knows no infinity: above every score, nothing is called positive."""
    return f"{threshold:.4g}" if threshold < float("inf") else "above every score"
