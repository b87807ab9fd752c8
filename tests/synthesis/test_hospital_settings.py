import pytest


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"nih_images": 10}, "nih_images"),
        ({"rsna_images": 119}, "rsna_images"),
        ({"workers": 0}, "workers"),
        ({"covid_images": 60.5}, "covid_images"),
        ({"seed": -1}, "seed"),
        ({"sign_contrast": 0}, "sign_contrast"),
        ({"label_noise": 1.0}, "label_noise"),
        ({"silent_share": -0.1}, "silent_share"),
        ({"morbidity": 0}, "morbidity"),
        ({"morbidity": 3.9, "label_noise": 0.1}, "morbidity"),
    ],
)
def test_a_hospital_that_cannot_be_made_is_refused_by_name(
    make_synthesis, changed, named
):
    with pytest.raises(ValueError, match=f"synthesis.{named}"):
        make_synthesis(**changed)
