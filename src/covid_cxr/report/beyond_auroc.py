"""What the report shows of scores beyond the paper's tables."""

from dataclasses import dataclass, fields

import pandas as pd


@dataclass(frozen=True, kw_only=True)
class EvaluationTables:
    """What a report shows beyond AUROCs, by the name of the dataset.

    A table without rows, and a figure that is a note, stand for what cannot be known.

    Attributes:
        auroc_results: From `evaluation.aurocs`.
        operating_results: From `evaluation.thresholds`.
        calibration_results: From `evaluation.calibration_tables`.
        ensemble_results: From `evaluation.ensembles`.
        subgroup_results: From `evaluation.subgroups`.
        reliability_figure: PNG file.
        decision_figure: PNG file.
        forest_figure: PNG file.
    """

    auroc_results: pd.DataFrame
    operating_results: pd.DataFrame
    calibration_results: pd.DataFrame
    ensemble_results: pd.DataFrame
    subgroup_results: pd.DataFrame
    reliability_figure: bytes
    decision_figure: bytes
    forest_figure: bytes


EVALUATION_DATASETS = tuple(field.name for field in fields(EvaluationTables))
