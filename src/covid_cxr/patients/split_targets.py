"""What a split is to look like: counts, how the test part is chosen, what is evened."""

import math
from dataclasses import dataclass, field

from covid_cxr.checks import check_word

OFFICIAL, NONE, FOLD, SITE = "official", "none", "fold", "site"
TEST_WORDS = (OFFICIAL, NONE, FOLD, SITE)
OFFICIAL_TEST = "official_test"
ELIGIBLE = ("all", OFFICIAL_TEST)
KEEP_TOGETHER, REMOVE, IGNORE = "keep_together", "remove", "ignore"
DUPLICATES = (KEEP_TOGETHER, REMOVE, IGNORE)

_PLACE = "study.yml, or in the parameters `<training set>_split`"


@dataclass(frozen=True, kw_only=True)
class SplitTargets:
    """How a training set is drawn, as read from study.yml and the parameters.

    A number from 0 to 1 is a share, a larger one a count. Shares for the parts are
    of the drawn images that are in no official test list and not at a held-out site.

    Attributes:
        label: The finding whose positives are counted.
        eligible: "all", or "official_test" (the curators' test list only).
        images: How many of the eligible images are drawn. Every positive is kept.
        test: "official" (the curators' test list), "site" (every patient of
            `held_out_site`), "fold" (part `fold` of `n_folds`), "none", or how many
            images.
        test_positives: How many positives of the label; None keeps the prevalence.
        n_folds: Parts of a cross-validation, None without one.
        fold: Which of them is tested on, 0 to n_folds - 1; None without one.
        held_out_site: The site that is tested on, None where none is.
        validation: How many images.
        validation_positives: As `test_positives`.
        strata: What else is evened between the parts: columns such as "site", "view"
            and "sex", or "age_band". The counts of images and positives come first.
        duplicates: "keep_together" (patients linked by a duplicate are in one part),
            "remove" (of each set of duplicates the first image is kept) or "ignore".
        seed: Of every draw.
    """

    label: str
    validation: float
    eligible: str = "all"
    images: float = 1.0
    test: str | float = NONE
    test_positives: float | None = None
    n_folds: int | None = None
    fold: int | None = None
    held_out_site: str | None = None
    validation_positives: float | None = None
    strata: list[str] = field(default_factory=list)
    duplicates: str = KEEP_TOGETHER
    seed: int = 2021

    def __post_init__(self) -> None:
        """Refuse what is no share, no count, or no known word."""
        check_word("eligible", self.eligible, ELIGIBLE, place=_PLACE)
        check_word("duplicates", self.duplicates, DUPLICATES, place=_PLACE)
        if isinstance(self.test, str) and self.test not in TEST_WORDS:
            raise ValueError(
                f"test must be one of {', '.join(TEST_WORDS)}, a share or a count, got "
                f"{self.test!r}; correct it in {_PLACE}."
            )
        amounts = {"images": self.images, "validation": self.validation}
        if not isinstance(self.test, str):
            amounts["test"] = self.test
        optional = {
            "test_positives": self.test_positives,
            "validation_positives": self.validation_positives,
        }
        given = {name: value for name, value in optional.items() if value is not None}
        for name, value in {**amounts, **given}.items():
            _check_amount(name, value)
        self._check_folds()
        self._check_site()

    def _check_folds(self) -> None:
        if self.test != FOLD:
            is_right = self.n_folds is None and self.fold is None
        else:
            n_folds = self.n_folds if _is_whole(self.n_folds) else 0
            is_right = _is_whole(self.fold) and self.fold in range(n_folds or 0)
            is_right = is_right and n_folds != 1
        if not is_right:
            raise ValueError(
                f"test: {FOLD} goes with n_folds of at least 2 and fold from 0 to "
                f"n_folds - 1, and any other test with neither; got test "
                f"{self.test!r}, n_folds {self.n_folds!r}, fold {self.fold!r}; correct "
                f"it in {_PLACE}."
            )

    def _check_site(self) -> None:
        if (self.test == SITE) != bool(self.held_out_site):
            raise ValueError(
                f"test: {SITE} goes with a held_out_site, and any other test with "
                f"none; got test {self.test!r}, held_out_site "
                f"{self.held_out_site!r}; correct it in {_PLACE}."
            )


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_amount(name: str, value: float) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    is_amount = is_number and 0 < value < math.inf
    if not is_amount or (value > 1 and value != int(value)):
        raise ValueError(
            f"{name} must be a share above 0 and up to 1, or a whole count above 1, "
            f"got {value!r}; correct it in {_PLACE}."
        )
