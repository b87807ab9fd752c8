"""Examples: images, parts and labels that belong together, or a clear refusal."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from covid_cxr.training.examples import check_classifier, check_trainable

BOTH = ["pneumonia", "effusion"]


def test_a_part_holds_the_rows_and_labels_of_its_images(cohort, examples):
    part = examples.part("validation")

    assert part.rows.tolist() == [39 - number for number in range(21, 31)]
    assert part.is_case[:, 0].tolist() == [n % 3 == 0 for n in range(21, 31)]
    assert part.is_case.dtype == np.float32


def test_the_order_is_the_splits_not_the_curated_tables(cohort):
    shuffled = cohort.curated.sample(frac=1, random_state=1)
    one = cohort.examples().part("train")
    other = cohort.examples(curated=shuffled).part("train")

    np.testing.assert_array_equal(one.rows, other.rows)
    np.testing.assert_array_equal(one.is_case, other.is_case)


def test_a_label_that_is_not_curated_is_refused(cohort):
    with pytest.raises(ValueError, match="no column hernia"):
        cohort.examples(labels=["pneumonia", "hernia"])


def test_no_label_at_all_is_refused(cohort):
    with pytest.raises(ValueError, match=r"no column \(none\)"):
        cohort.examples(labels=[])


def test_an_image_that_is_not_curated_is_named(cohort):
    with pytest.raises(ValueError, match=r"1 of the split's 40 .* such as image_07"):
        cohort.examples(curated=cohort.curated.drop(index=7))


def test_a_row_outside_the_store_is_named(cohort):
    curated = cohort.curated.assign(row=cohort.curated["row"] + 1)

    with pytest.raises(ValueError, match=r"store of 40, such as image_00"):
        cohort.examples(curated=curated)


def test_an_unknown_label_is_named(cohort):
    known = cohort.curated["pneumonia"].copy()
    known[9] = pd.NA

    with pytest.raises(ValueError, match=r"pneumonia is unknown for 1 .* image_09"):
        cohort.examples(curated=cohort.curated.assign(pneumonia=known))


@pytest.mark.parametrize("part", ["train", "validation"])
def test_an_empty_part_is_refused_before_training(cohort, part):
    rest = cohort.split[cohort.split["part"] != part]

    with pytest.raises(ValueError, match=f"The {part} part is empty"):
        check_trainable(cohort.examples(split=rest))


def test_a_single_class_is_refused_before_training(cohort):
    controls = cohort.curated.assign(pneumonia=False)

    with pytest.raises(ValueError, match=r"21 training images .* alike in pneumonia"):
        check_trainable(cohort.examples(curated=controls))


def test_a_rare_finding_without_cases_is_only_warned_of(cohort, caplog):
    rare = cohort.curated.assign(hernia=False)
    check_trainable(cohort.examples(["pneumonia", "hernia"], curated=rare))

    assert "one class only in training: hernia" in caplog.text
    assert "no positive in the validation part: hernia" in caplog.text


def test_images_of_another_size_are_refused(cohort, initial):
    small = dataclasses.replace(cohort.store, images=cohort.store.images[:, :16, :16])

    with pytest.raises(ValueError, match=r"16 px .* takes 32 px"):
        check_classifier(initial[0], cohort.examples(store=small))


def test_another_number_of_labels_is_refused(examples, initial):
    with pytest.raises(ValueError, match="has 1 outputs, but there are 2 labels"):
        check_classifier(initial[0], examples)


def without_some_labels(cohort):
    """Return the curated table with each label unknown for half of the images."""
    is_even = np.arange(40) % 2 == 0
    return cohort.curated.assign(
        pneumonia=cohort.curated["pneumonia"].mask(is_even),
        effusion=cohort.curated["effusion"].mask(~is_even),
    )


def test_of_several_labels_unknown_ones_are_nan(cohort):
    part = cohort.examples(BOTH, curated=without_some_labels(cohort)).part("train")

    is_even = np.arange(21) % 2 == 0
    assert part.is_case.dtype == np.float32
    assert np.isnan(part.is_case[is_even, 0]).all()
    assert np.isnan(part.is_case[~is_even, 1]).all()
    assert part.is_case[~is_even, 0].tolist() == [n % 3 == 0 for n in range(1, 21, 2)]


def test_an_image_without_any_label_is_named(cohort):
    curated = without_some_labels(cohort)
    curated.loc[4, "effusion"] = pd.NA

    with pytest.raises(ValueError, match=r"None of the labels .* for 1 .* image_04"):
        cohort.examples(BOTH, curated=curated)


def test_a_label_is_judged_by_the_images_where_it_is_known(cohort, caplog):
    curated = without_some_labels(cohort)
    always = curated["effusion"].notna().astype("boolean")
    known_cases = always.where(always)

    check_trainable(cohort.examples(BOTH, curated=curated))
    assert "one class only" not in caplog.text
    check_trainable(cohort.examples(BOTH, curated=curated.assign(effusion=known_cases)))
    assert "one class only in training: effusion" in caplog.text


def test_a_label_that_is_never_known_teaches_nothing(cohort):
    curated = cohort.curated.assign(
        pneumonia=cohort.curated["pneumonia"] & False,
        effusion=pd.array([pd.NA] * 40, dtype="boolean"),
    )

    with pytest.raises(ValueError, match="alike in pneumonia, effusion"):
        check_trainable(cohort.examples(BOTH, curated=curated))
