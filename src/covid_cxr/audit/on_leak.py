"""What a run does about a leak of each kind."""

from dataclasses import asdict, dataclass

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
        for kind, answer in asdict(self).items():
            if answer not in {FAIL, WARN}:
                raise ValueError(
                    f"audit.on_leak.{kind} must be {FAIL} or {WARN}, got {answer!r}; "
                    "correct it in parameters_audit.yml."
                )
