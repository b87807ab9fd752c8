"""What an external validation was going to test, written down before it is run.

`external_protocol.yml` names the bundles by their hashes, the thresholds, what is
expected, who is in the cohort, and the date. Its own hash goes into the result. That
nobody wrote it afterwards is for its keeper to show: a registry, a commit, a letter.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

PROTOCOL = "external_protocol.yml"
NONE = "no protocol was registered before: read this as exploratory"
_KEYS = ("date", "bundles", "outcome", "thresholds", "hypotheses", "cohort")
_AT_THRESHOLDS = ("sensitivity", "specificity")
_MEASURES = ("auroc", *_AT_THRESHOLDS)
_RULES = (
    "radiographs of the manifest with a stated outcome, a patient and a file",
    "frontal views; lateral and oblique ones are left out",
    "what the bundle refuses is an outcome of its own, reported with and without",
    "no patient of the study, and no picture that it was trained on",
)
_OWN = ("setting", "period", "eligibility", "outcome_within")


@dataclass(frozen=True, kw_only=True)
class Hypothesis:
    """A bound that the lower end of an interval is to lie above.

    Attributes:
        measure: auroc, sensitivity or specificity.
        above: On (0, 1).
        rule: Which operating point, of the latter two.
    """

    measure: str
    above: float
    rule: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be judged."""
        if self.measure not in _MEASURES:
            raise ValueError(
                f"{PROTOCOL}: a hypothesis is on {', '.join(_MEASURES)}, got "
                f"{self.measure!r}."
            )
        is_number = isinstance(self.above, int | float)
        if isinstance(self.above, bool) or not is_number or not 0 < self.above < 1:
            raise ValueError(
                f"{PROTOCOL}: the bound of {self.measure} lies between 0 and 1, got "
                f"{self.above!r}."
            )
        if (self.rule is not None) != (self.measure in _AT_THRESHOLDS):
            raise ValueError(
                f"{PROTOCOL}: sensitivity and specificity are those of a rule, an "
                f"AUROC is that of none; got {self.measure} with rule {self.rule!r}."
            )


def draft_protocol(classifiers: Mapping[str, Any]) -> dict[str, Any]:
    """Return a draft: all that the bundles say, and what their tester is to fill in.

    Args:
        classifiers: From `describe_bundles`.
    """
    first = next(iter(classifiers.values()))
    return {
        "bundles": {name: one["sha256"] for name, one in classifiers.items()},
        "outcome": f"{first['label']['words']} by {first['label']['reference']}",
        "thresholds": _thresholds(classifiers),
        "hypotheses": [{"measure": "auroc", "above": 0.5}],
        "cohort": {"rules": list(_RULES), **dict.fromkeys(_OWN, "")},
    }


def read_protocol(text: str | None, classifiers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the protocol with its hash, held against the bundles.

    Args:
        text: Of `external_protocol.yml`; None without one.
        classifiers: From `describe_bundles`.

    Returns:
        `sha256`, `date`, `hypotheses`, `outcome`, `cohort` and `caution`; without a
        protocol a hash of None, and a caution that says so.

    Raises:
        ValueError: If it is no such protocol, or of other bundles or thresholds.
    """
    if text is None:
        return {"sha256": None, "date": None, "hypotheses": [], "caution": NONE}
    stated = _parse(text)
    _refuse_other(stated["bundles"], {n: c["sha256"] for n, c in classifiers.items()})
    _refuse_other(stated["thresholds"], _thresholds(classifiers), what="thresholds")
    for one in stated["hypotheses"]:
        _as_hypothesis(one)
    cohort = stated["cohort"]
    unsaid = [name for name in _OWN if not str(cohort.get(name) or "").strip()]
    return {
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "date": str(stated["date"]),
        "outcome": stated["outcome"],
        "hypotheses": list(stated["hypotheses"]),
        "cohort": cohort,
        "caution": f"the protocol leaves open: {', '.join(unsaid)}" if unsaid else "",
    }


def judge_hypotheses(
    protocol: Mapping[str, Any], aurocs: pd.DataFrame, operating: pd.DataFrame
) -> pd.DataFrame:
    """Return whether each classifier does what the protocol expects of it.

    Columns: `classifier, measure, rule, above, estimate, lower, is_met`; `is_met` is
    missing where there is no interval.

    Args:
        protocol: From `read_protocol`.
        aurocs: From `tabulate_discrimination`.
        operating: From `tabulate_operating`.
    """
    rows = [
        {"classifier": name, **vars(hypothesis), "estimate": value, "lower": lower}
        for one in protocol["hypotheses"]
        for hypothesis in [_as_hypothesis(one)]
        for name, value, lower in _measured(hypothesis, aurocs, operating)
    ]
    columns = ["classifier", "measure", "rule", "above", "estimate", "lower"]
    judged = pd.DataFrame(rows, columns=columns)
    is_met = (judged["lower"] > judged["above"]).astype("boolean")
    return judged.assign(is_met=is_met.mask(judged["lower"].isna()))


def _measured(
    hypothesis: Hypothesis, aurocs: pd.DataFrame, operating: pd.DataFrame
) -> Iterator[tuple[str, float, float]]:
    table, column = aurocs, hypothesis.measure
    if hypothesis.rule is not None:
        table = operating[operating["rule"] == hypothesis.rule]
        if table.empty:
            raise ValueError(
                f"{PROTOCOL}: no bundle has the rule {hypothesis.rule!r}; they have "
                f"{', '.join(operating['rule'].unique())}."
            )
    bound = "lower" if column == "auroc" else f"{column}_lower"
    known = table.reindex(columns=["classifier", column, bound])
    yield from known.itertuples(index=False, name=None)


def _thresholds(classifiers: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    return {
        name: {point["rule"]: point["threshold"] for point in one["operating_points"]}
        for name, one in classifiers.items()
    }


def _as_hypothesis(stated: Any) -> Hypothesis:
    try:
        return Hypothesis(**stated)
    except TypeError as error:
        raise ValueError(
            f"{PROTOCOL}: a hypothesis is {{measure: auroc, above: 0.7}}, got "
            f"{stated!r}."
        ) from error


def _parse(text: str) -> dict[str, Any]:
    import yaml  # noqa: PLC0415

    try:
        stated = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"{PROTOCOL} is no YAML: {error}") from error
    came = set(stated) if isinstance(stated, dict) else set()
    missing, unknown = sorted(set(_KEYS) - came), sorted(map(str, came - set(_KEYS)))
    if missing or unknown:
        raise ValueError(
            f"{PROTOCOL} lacks {', '.join(missing) or 'nothing'} and has "
            f"{', '.join(unknown) or 'nothing'} that is no part of it; `kedro run "
            f"--pipelines=external_protocol` drafts one."
        )
    kinds = {"bundles": dict, "thresholds": dict, "cohort": dict, "hypotheses": list}
    wrong = [name for name, kind in kinds.items() if type(stated[name]) is not kind]
    if wrong:
        raise ValueError(
            f"{PROTOCOL}: {wrong[0]} is no {kinds[wrong[0]].__name__}, got "
            f"{stated[wrong[0]]!r}."
        )
    # A period may be written as a day, which YAML takes for a date and JSON does not.
    return dict(json.loads(json.dumps(stated, default=str)))


def _refuse_other(stated: Any, known: Any, what: str = "bundles") -> None:
    if stated != known:
        raise ValueError(
            f"{PROTOCOL} is of other {what} than those that are tested: it says "
            f"{stated}, and they are {known}. Test what was registered, or register "
            f"anew and say so."
        )
