"""Figure 3: ROC curves of several classifiers on the same test part."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from covid_cxr.figures.names import add_legend, marked_up
from covid_cxr.figures.palette import GRID, INK, MUTED, Dashes
from covid_cxr.figures.panels import canvas
from covid_cxr.statistics.roc import RocCurve
from covid_cxr.statistics.roc_band import RocBand

_X_TITLE = "1 \N{MINUS SIGN} specificity"
_Y_TITLE = "Sensitivity"
_BAND_OPACITY = 0.14
_LINE_WIDTH = 2.2  # pixels, of an interactive curve
_MOST_POINTS = 200  # of an interactive curve: a step is then three pixels
_MOST_PRINTED = 2000  # of a printed one: finer than a printer


def draw_roc(
    curves: Mapping[str, RocCurve],
    *,
    bands: Mapping[str, RocBand],
    colours: Mapping[str, str],
    dashes: Mapping[str, Dashes] = MappingProxyType({}),
) -> Any:
    """Return the ROC curves as a matplotlib `Figure`.

    Args:
        curves: By the text of the legend, in its order.
        bands: Of the curves that are to have one, by the same text.
        colours: By the same text.
        dashes: By the same text, of curves that are no whole lines.
    """
    figure = canvas(5.6, 5.4)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=MUTED, linestyle=":", linewidth=1)
    lines = {}
    for title, curve in curves.items():
        drawn = _thin(curve.corners, _MOST_PRINTED)
        (lines[title],) = axes.plot(
            drawn.false_positive_rate,
            drawn.sensitivity,
            color=colours[title],
            linestyle=(0, dashes[title]) if dashes.get(title) else "solid",
            label=title,
            linewidth=1.8,
        )
    for title, band in bands.items():
        axes.fill_between(
            band.false_positive_rate,
            band.lower,
            band.upper,
            color=colours[title],
            alpha=_BAND_OPACITY,
            linewidth=0,
        )
    axes.set(xlabel=_X_TITLE, ylabel=_Y_TITLE, xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    axes.set_aspect("equal")
    axes.grid(color=GRID, linewidth=0.6)
    add_legend(axes, list(lines.values()), list(lines))
    return figure


def draw_interactive_roc(
    curves: Mapping[str, RocCurve],
    *,
    bands: Mapping[str, RocBand],
    first: str | None,
    colours: Mapping[str, str],
    dashes: Mapping[str, Dashes] = MappingProxyType({}),
) -> Any:
    """Return the ROC curves as a plotly `Figure` that shows thresholds.

    A band is shown and hidden with its curve, by a click on the legend. Many bands
    hide each other, so buttons show one of them, all or none.

    Args:
        curves: By the text of the legend, in its order.
        bands: Of the curves that are to have one, by the same text.
        first: Whose band is seen at first; None for no band.
        colours: By the same text.
        dashes: By the same text, of curves that are no whole lines.
    """
    from plotly.graph_objects import Figure

    figure = Figure()
    shown = dict(zip(curves, marked_up(curves), strict=True))
    for title, band in bands.items():
        trace = _band_trace(band, shown[title], colours[title])
        figure.add_scatter(**trace, opacity=_BAND_OPACITY * (title == first))
    for title, curve in curves.items():
        trace = _curve_trace(
            _thin(curve.corners, _MOST_POINTS), shown[title], colours[title]
        )
        trace["line"]["dash"] = _as_dash(dashes.get(title, ()))
        figure.add_scatter(**trace)
    diagonal = {"color": MUTED, "dash": "dot", "width": 1}
    figure.add_shape(type="line", x0=0, y0=0, x1=1, y1=1, line=diagonal, layer="below")
    return figure.update_layout(_layout(), updatemenus=_buttons(bands, first))


def join_interactive(figures: Mapping[str, Any]) -> Any:
    """Return one plotly `Figure` of which a menu shows one at a time.

    The bands that are seen at first are the only ones.

    Args:
        figures: From `draw_interactive_roc`, by the title in the menu.
    """
    from plotly.graph_objects import Figure

    of = [title for title, figure in figures.items() for _ in figure.data]
    seen = {title: [one == title for one in of] for title in figures}
    first = next(iter(figures))
    joined = Figure(layout=figures[first].layout)
    traces = [trace for figure in figures.values() for trace in figure.data]
    for trace, is_seen in zip(traces, seen[first], strict=True):
        joined.add_trace(trace).data[-1].visible = is_seen
    buttons = [
        {"label": shown, "method": "update", "args": [{"visible": seen[title]}]}
        for title, shown in zip(figures, marked_up(figures), strict=True)
    ]
    menu = {"buttons": buttons, "x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom"}
    return joined.update_layout(updatemenus=[menu], margin={"t": 56})


def _curve_trace(curve: RocCurve, title: str, colour: str) -> dict[str, Any]:
    return {
        "x": curve.false_positive_rate,
        "y": curve.sensitivity,
        "customdata": [_as_text(threshold) for threshold in curve.thresholds],
        "name": title,
        "legendgroup": title,
        "mode": "lines",
        "line": {"color": colour, "width": _LINE_WIDTH},
        "hovertemplate": (
            "threshold %{customdata}<br>sensitivity %{y:.3f}"
            f"<br>{_X_TITLE} %{{x:.3f}}"
        ),
    }


def _band_trace(band: RocBand, title: str, colour: str) -> dict[str, Any]:
    """There along the upper bound and back along the lower one, without an outline."""
    return {
        "x": np.append(band.false_positive_rate, band.false_positive_rate[::-1]),
        "y": np.append(band.upper, band.lower[::-1]),
        "name": title,
        "legendgroup": title,
        "showlegend": False,
        "mode": "none",
        "fill": "toself",
        "fillcolor": colour,
        "hoverinfo": "skip",
    }


def _buttons(bands: Mapping[str, RocBand], first: str | None) -> list[dict[str, Any]]:
    """Return which bands are seen, by their opacity: visibility is the legend's."""
    if len(bands) < 2:
        return []
    choices = {"No band": [], "All bands": list(bands)}
    if first is not None:
        choices = {"One band": [first], **choices}
    return [
        {
            "type": "buttons",
            "direction": "right",
            "buttons": [
                {
                    "label": label,
                    "method": "restyle",
                    "args": [
                        {"opacity": [_BAND_OPACITY * (t in shown) for t in bands]},
                        list(range(len(bands))),  # the first traces
                    ],
                }
                for label, shown in choices.items()
            ],
            "x": 1,
            "xanchor": "right",
            "y": 0.02,
            "yanchor": "bottom",
        }
    ]


def _thin(curve: RocCurve, most: int) -> RocCurve:
    """Return corners at even steps along the curve; all of them where they are few."""
    if len(curve.thresholds) <= most:
        return curve
    way = curve.false_positive_rate + curve.sensitivity  # rises from 0 to 2
    last = len(way) - 1  # which rounding may leave a little below 2
    steps = np.searchsorted(way, np.linspace(0, 2, most))
    return curve.take(np.unique(np.minimum(steps, last)))


def _layout() -> dict[str, Any]:
    axis = {"range": [-0.01, 1.01], "gridcolor": GRID, "zeroline": False, "dtick": 0.2}
    return {
        "template": "plotly_white",
        "font": {"color": INK, "family": "system-ui, sans-serif", "size": 14},
        "xaxis": {"title": {"text": _X_TITLE}, **axis},
        "yaxis": {"title": {"text": _Y_TITLE}, **axis},
        "showlegend": True,  # of a curve alone, too
        "legend": {"orientation": "h", "y": -0.18, "yanchor": "top"},
        "margin": {"l": 60, "r": 16, "t": 16, "b": 16},
        "height": 620,
    }


def _as_dash(dashes: Dashes) -> str:
    return ",".join(f"{_LINE_WIDTH * length:.3g}px" for length in dashes) or "solid"


def _as_text(threshold: float) -> str:
    """JSON knows no infinity: above every score, nothing is called positive."""
    return f"{threshold:.4g}" if threshold < float("inf") else "above every score"
