"""What a run does about a leak of each kind."""

from dataclasses import asdict, dataclass

from covid_cxr.checks import check_word

FAIL, WARN, CLEAN = "fail", "warn", "clean"
SAME_IMAGE, DUPLICATE, SAME_PATIENT = "same_image", "duplicate", "same_patient"
UNKNOWN_ANCESTRY = "unknown_ancestry"
KINDS = (SAME_IMAGE, DUPLICATE, SAME_PATIENT)


@dataclass(frozen=True, kw_only=True)
class OnLeak:
    """Fail or warn, by kind of leak, as read from parameters_audit.yml.

    A patient in two parts of one training set always fails.

    Attributes:
        same_image: An image was in an earlier training, under any name.
        duplicate: An image all but alike was.
        same_patient: Another image of the patient was.
        unknown_ancestry: What the initial weights were trained on is not known.
    """

    same_image: str
    duplicate: str
    same_patient: str
    unknown_ancestry: str

    def __post_init__(self) -> None:
        """Refuse what is neither fail nor warn."""
        place = "parameters_audit.yml"
        for kind, answer in asdict(self).items():
            check_word(f"audit.on_leak.{kind}", answer, (FAIL, WARN), place=place)
