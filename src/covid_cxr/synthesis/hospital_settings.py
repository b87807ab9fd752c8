"""The synthetic hospital's size and difficulty (parameters_synthesis.yml)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from covid_cxr.checks import check_whole
from covid_cxr.synthesis.epidemiology import NIH_EPIDEMIOLOGY

_SMALLEST = {
    "seed": 0,
    "nih_images": 100,
    "rsna_images": 20,
    "covid_images": 50,
    "cohort_images": 20,
    "raw_size_px": 32,
    "least_patients": 1,
    "workers": 1,
}
_PLACE = "parameters_synthesis.yml"
_SHARES = ("confounder_share", "label_noise", "other_disease_share", "silent_share")


@dataclass(frozen=True, kw_only=True)
class Synthesis:
    """How many radiographs are made, and how hard they are to tell apart.

    Attributes:
        seed: Of everything: the same seed gives the same bytes.
        nih_images: Radiographs of the NIH cohort.
        rsna_images: How many of them the RSNA cohort shows again.
        covid_images: Radiographs of the COVID-19 cohort.
        cohort_images: Radiographs of each cohort of another source.
        images: Of one of them by its name, instead.
        raw_size_px: Height and width of NIH and RSNA files; about those of COVID-19.
        least_patients: In either part of the NIH cohort, patients with each finding,
            however rare it is.
        morbidity: How often each NIH finding occurs, as a multiple of its share of
            ChestX-ray14, above 0.
        sign_contrast: Multiplies the attenuation of every sign of disease; 1 is plain.
        confounder_share: Radiographs with crowded bases that are no disease.
        photons: Quanta per pixel in air; fewer give more noise.
        label_noise: Share of the text-mined NIH labels that are lost, and made up.
        other_disease_share: Patients with a negative RT-PCR who are acutely ill with
            something else that shows.
        silent_share: COVID-19 patients whose radiographs show next to nothing.
        workers: Processes that draw.
    """

    seed: int
    nih_images: int
    rsna_images: int
    covid_images: int
    raw_size_px: int
    least_patients: int
    sign_contrast: float
    confounder_share: float
    photons: float
    label_noise: float
    other_disease_share: float
    silent_share: float
    morbidity: float
    workers: int
    cohort_images: int = 400
    images: Mapping[str, int] = field(default_factory=dict)

    def images_of(self, cohort: str) -> int:
        """Return the radiographs of a cohort that has no parameter of its own."""
        return self.images.get(cohort, self.cohort_images)

    def __post_init__(self) -> None:
        """Refuse a hospital that could not be drawn or split."""
        counts = {name: (getattr(self, name), n) for name, n in _SMALLEST.items()}
        least = _SMALLEST["cohort_images"]
        counts |= {f"images.{name}": (n, least) for name, n in self.images.items()}
        for name, (value, smallest) in counts.items():
            check_whole(f"synthesis.{name}", value, least=smallest, place=_PLACE)
        for name in ("sign_contrast", "photons", "morbidity"):
            if not getattr(self, name) > 0:
                raise ValueError(
                    f"synthesis.{name} must be above 0, got {getattr(self, name)!r}."
                )
        for name in _SHARES:
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(
                    f"synthesis.{name} must be a share from 0 to below 1, "
                    f"got {getattr(self, name)!r}."
                )
        self._check_morbidity()
        if self.rsna_images > 0.8 * self.nih_images:
            raise ValueError(
                f"synthesis.rsna_images must be at most 0.8 of nih_images "
                f"({self.nih_images}), because they are drawn from them; got "
                f"{self.rsna_images}. Lower it or raise nih_images."
            )

    def _check_morbidity(self) -> None:
        """Refuse more ill than there are, with those whose label is made up."""
        row = max(NIH_EPIDEMIOLOGY, key=lambda row: max(row.train_val, row.test))
        share = max(row.train_val, row.test)
        most = 1 / (share * (1 + self.label_noise))
        if self.morbidity > most:
            raise ValueError(
                f"synthesis.morbidity must be at most {most:.3g} with a label_noise of "
                f"{self.label_noise:g}, because {share:.0%} of a part have "
                f"{row.finding} already; got {self.morbidity!r}."
            )
