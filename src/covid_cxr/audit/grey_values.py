"""Shortcuts in grey values: what brightness and sharpness give away without any shape.

Machines and archives differ in how bright, how sharp and how framed their images are.
A logistic regression on a few such features, fitted to the training part, tells how
well the source and the site of a held-out radiograph are known from them (DeGrave et
al., Nature Machine Intelligence 2021;3:610: source told apart, disease seemingly told),
and how well its label is.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import logsumexp

from covid_cxr.audit.metadata_alone import HELD_OUT_PARTS, describe_auroc, describe_set
from covid_cxr.radiographs.store import ImageStore

ATTRIBUTES = ("source", "site")
POSITIVE, NEGATIVE, MACRO_AVERAGE = "positive", "negative", "macro_average"
_COLUMNS = ["predicted", "part", "level", "auroc", "lower", "upper", "n_images"]
_PERCENTILES = (5, 25, 50, 75, 95)
_BORDER_SHARE = 0.05  # width of the frame, of the image's
_CORNER_SHARE = 0.1  # width of a corner, likewise
_BATCH_IMAGES = 64


def predict_from_intensity(
    store: ImageStore,
    curated: pd.DataFrame,
    split: pd.DataFrame,
    label: str,
    level: float,
) -> pd.DataFrame:
    """Return the AUROCs of intensity alone on the validation and test parts.

    Of the label, and of each source and site against all others; `macro_average` is
    the mean over those. Intervals are logit intervals, clustered by patient.

    Columns: `predicted` (the label, "source" or "site"), `part`, `level` ("positive",
    a source or site, "macro_average"), `auroc, lower, upper, n_images, n_patients`. No
    rows for what all training images have in common; NaN for what a part lacks.

    Args:
        store: The cohort's images.
        curated: Its radiographs, with their `row` in the store.
        split: `image_id` and `part`.
        label: The finding.
        level: Of the intervals.
    """
    images = describe_set("phase3", curated=curated, split=split, label=label).images
    row_of_image = curated.set_index("image_id")["row"]
    features = _features(store, row_of_image[images["image_id"]].to_numpy(np.int64))
    return predict_from_features(features, images, label, level=level)


def predict_from_features(
    features: pd.DataFrame, described: pd.DataFrame, label: str, *, level: float
) -> pd.DataFrame:
    """Return what `predict_from_intensity` does, of features that are measured.

    Args:
        features: From `measure_features`.
        described: From `describe_set`, row by row the same images.
        label: The finding.
        level: Of the intervals.
    """
    images = described.assign(**{label: np.where(described[label], POSITIVE, NEGATIVE)})
    is_train = images["part"] == "train"
    rows: list[dict[str, Any]] = []
    for predicted in (label, *ATTRIBUTES):
        log_odds = _log_odds(features, images[predicted], is_train)
        for part in HELD_OUT_PARTS:
            held_out = images[images["part"] == part]
            found = _aurocs(log_odds, held_out, predicted, level=level)
            rows += [{"predicted": predicted, "part": part, **row} for row in found]
    return pd.DataFrame(rows, columns=[*_COLUMNS, "n_patients"])


def measure_features(images: NDArray[np.uint8]) -> pd.DataFrame:
    """Return the features of each image, on [0, 1].

    Mean, standard deviation and percentiles of all pixels, mean and standard deviation
    of the frame, the mean of each corner, and `sharpness`, the mean difference of
    neighbouring pixels.

    Args:
        images: Shape (n, size_px, size_px), 0 is black.
    """
    flat = images.reshape(len(images), -1)
    border = images[:, _border(images.shape[1])]  # (n, pixels)
    levels = np.percentile(flat, _PERCENTILES, axis=1)
    features = {
        "mean": flat.mean(axis=1),
        "standard_deviation": flat.std(axis=1),
        **{
            f"percentile_{p}": shown
            for p, shown in zip(_PERCENTILES, levels, strict=True)
        },
        "border_mean": border.mean(axis=1),
        "border_standard_deviation": border.std(axis=1),
        **_corner_means(images),
        "sharpness": _sharpness(images),
    }
    return pd.DataFrame(features) / 255


def _features(store: ImageStore, rows: NDArray[np.int64]) -> pd.DataFrame:
    """Return the features of the images in `rows`, in their order."""
    batches = [
        measure_features(store.read(rows[first : first + _BATCH_IMAGES]))
        for first in range(0, len(rows), _BATCH_IMAGES)
    ]
    return pd.concat(batches, ignore_index=True)


def _border(size_px: int) -> NDArray[np.bool_]:
    """Return True on the frame, shape (size_px, size_px)."""
    width = max(1, round(_BORDER_SHARE * size_px))
    is_border = np.ones((size_px, size_px), bool)
    is_border[width:-width, width:-width] = False
    return is_border


def _corner_means(images: NDArray[np.uint8]) -> Mapping[str, NDArray[np.float64]]:
    width = max(1, round(_CORNER_SHARE * images.shape[1]))
    ends = {"upper": slice(width), "lower": slice(-width, None)}
    sides = {"left": slice(width), "right": slice(-width, None)}
    return {
        f"{end}_{side}_mean": images[:, ends[end], sides[side]].mean(axis=(1, 2))
        for end in ends
        for side in sides
    }


def _sharpness(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    shades = images.astype(np.int16)
    down, across = (np.abs(np.diff(shades, axis=axis)) for axis in (1, 2))
    return np.asarray((down.mean(axis=(1, 2)) + across.mean(axis=(1, 2))) / 2)


def _log_odds(
    features: pd.DataFrame, target: pd.Series, is_train: pd.Series
) -> pd.DataFrame:
    """Return the fitted log odds of every level, a column each; none for one level."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    if target[is_train].nunique() < 2:
        return pd.DataFrame(index=target.index)
    regression = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    regression.fit(features[is_train], target[is_train])
    shown = regression.decision_function(features)
    # Of two levels only the second is given, against the first.
    linear = shown if shown.ndim == 2 else np.stack([0 * shown, shown], axis=1)
    others = [
        logsumexp(np.delete(linear, k, axis=1), axis=1) for k in range(linear.shape[1])
    ]
    return pd.DataFrame(
        linear - np.stack(others, axis=1),
        columns=regression.classes_,
        index=target.index,
    )


def _aurocs(
    log_odds: pd.DataFrame, held_out: pd.DataFrame, predicted: str, *, level: float
) -> list[dict[str, Any]]:
    """Return the AUROC of every level against the others, and their mean."""
    sizes = {"n_images": len(held_out), "n_patients": held_out["patient_id"].nunique()}
    rows = [
        {
            "level": name,
            **describe_auroc(
                held_out[predicted] == name,
                log_odds.loc[held_out.index, name],
                patients=held_out["patient_id"],
                level=level,
            ),
            **sizes,
        }
        for name in log_odds.columns
        if name != NEGATIVE
    ]
    if predicted in ATTRIBUTES and rows:
        aurocs = pd.Series([row["auroc"] for row in rows])
        rows.append({"level": MACRO_AVERAGE, "auroc": aurocs.mean(), **sizes})
    return rows
