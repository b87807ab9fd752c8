import cv2
import numpy as np
import pandas as pd
import pytest

from covid_cxr.patients.duplicates import (
    PAIR_DTYPES,
    DuplicateSearch,
    as_words,
    find_duplicates,
    find_duplicates_across,
    hamming,
    near_pairs,
    no_duplicates,
    pair_cohorts,
)
from covid_cxr.radiographs.record import fingerprint, pixels_sha256

SEARCH = DuplicateSearch(max_distance=20, max_inverted_distance=48, min_correlation=0.9)
SIZE = 96


class Store:
    """What the search reads of an image store: its name and its pixels."""

    def __init__(self, images, root):
        self.images = np.stack(images)
        self.root = root

    def read(self, rows):
        return self.images[rows]


def picture(seed):
    """Return a picture with structure at every scale, shape (SIZE, SIZE)."""
    rng = np.random.default_rng(seed)
    layers = [
        cv2.resize(rng.random((n, n)), (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
        for n in (4, 12, 32)
    ]
    return np.clip(255 * np.mean(layers, axis=0), 0, 255).astype(np.uint8)


def through_jpeg(pixels, quality=75):
    lossy = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(lossy, cv2.IMREAD_GRAYSCALE)


def cohort(tmp_path, **images):
    """Return the curated table and the store of named pictures, one patient each."""
    pixels = list(images.values())
    curated = pd.DataFrame(
        {
            "image_id": list(images),
            "patient_id": [f"covid:{name}" for name in images],
            "row": range(len(images)),
            "fingerprint": [fingerprint(image) for image in pixels],
            "pixels_sha256": [pixels_sha256(image) for image in pixels],
        }
    )
    return curated, Store(pixels, tmp_path / "covid_store")


def test_a_copy_a_recompressed_one_and_a_negative_are_found(tmp_path):
    first, second = picture(1), picture(2)
    curated, store = cohort(
        tmp_path,
        a=first,
        b=first.copy(),
        c=through_jpeg(second),
        d=second,
        e=255 - picture(3),
        f=picture(3),
        g=picture(4),
    )

    pairs = find_duplicates(curated, store, SEARCH)

    assert list(
        zip(pairs["first_image_id"], pairs["second_image_id"], strict=True)
    ) == [
        ("a", "b"),
        ("c", "d"),
        ("e", "f"),
    ]
    assert pairs["first_patient_id"].tolist() == ["covid:a", "covid:c", "covid:e"]
    assert pairs["second_patient_id"].tolist() == ["covid:b", "covid:d", "covid:f"]
    assert pairs["kind"].tolist() == ["exact", "near", "near"]
    assert pairs["is_inverted"].tolist() == [False, False, True]
    assert pairs["distance"][0] == 0
    assert 0 <= pairs["distance"][1] <= 20
    assert 0 <= pairs["distance"][2] <= 48
    assert pairs["correlation"].tolist() == pytest.approx([1, 1, -1], abs=0.02)


def test_the_same_file_cropped_differently_is_exact_at_its_distance(tmp_path):
    whole = picture(1)
    cropped = cv2.resize(whole[:60, 30:], (SIZE, SIZE))
    curated, store = cohort(tmp_path, a=whole, b=cropped)
    same_file = curated.assign(pixels_sha256="of the raw file")

    pairs = find_duplicates(same_file, store, SEARCH)

    assert pairs["kind"].tolist() == ["exact"]
    assert pairs["distance"][0] > SEARCH.max_distance
    assert not pairs["is_inverted"][0]


def test_near_fingerprints_alone_are_no_duplicate(tmp_path):
    curated, store = cohort(tmp_path, a=picture(1), b=picture(2))
    alike = curated.assign(fingerprint=curated["fingerprint"][0])

    assert find_duplicates(alike, store, SEARCH).empty


def test_correlated_pictures_with_far_fingerprints_are_no_duplicate(tmp_path):
    curated, store = cohort(tmp_path, a=picture(1), b=through_jpeg(picture(1)))
    far = curated.assign(fingerprint=["0" * 64, "0" * 32 + "f" * 32])

    assert find_duplicates(far, store, SEARCH).empty


def test_two_blank_pictures_are_no_duplicates(tmp_path):
    blank = np.zeros((SIZE, SIZE), np.uint8)
    curated, store = cohort(tmp_path, a=blank, b=blank + 9)

    assert find_duplicates(curated, store, SEARCH).empty


def test_pairs_are_ordered_and_the_same_for_any_order_of_rows(tmp_path):
    image = picture(1)
    curated, store = cohort(tmp_path, c=image, a=image, b=through_jpeg(image))
    reversed_rows = curated.iloc[::-1]

    pairs = find_duplicates(curated, store, SEARCH)

    assert (pairs["first_image_id"] + pairs["second_image_id"]).tolist() == [
        "ab",
        "ac",
    ]
    pd.testing.assert_frame_equal(pairs, find_duplicates(reversed_rows, store, SEARCH))


def test_more_pairs_than_fit_in_a_batch_are_all_found(tmp_path):
    images = {f"{n:02d}": picture(1) for n in range(20)}
    curated, store = cohort(tmp_path, **images)

    # As if they were stored anew twenty times: each pair is near.
    pairs = find_duplicates(
        curated.assign(pixels_sha256=curated["image_id"]), store, SEARCH
    )

    assert len(pairs) == 20 * 19 / 2


@pytest.mark.parametrize("n_copies", [2, 3, 500])
def test_copies_are_each_paired_with_the_first(tmp_path, n_copies):
    images = dict.fromkeys([f"{n:03d}" for n in range(n_copies)], picture(1))
    curated, store = cohort(tmp_path, **images, other=picture(2))

    pairs = find_duplicates(curated, store, SEARCH)

    assert set(pairs["first_image_id"]) == {"000"}
    assert pairs["second_image_id"].tolist() == list(images)[1:]
    assert set(pairs["kind"]) == {"exact"}


def test_a_picture_like_one_of_two_crops_of_a_file_is_found(tmp_path):
    whole = picture(1)
    cropped = cv2.resize(whole[:60, 30:], (SIZE, SIZE))
    curated, store = cohort(tmp_path, a=whole, b=cropped, c=through_jpeg(cropped))
    raw = ["the same file", "the same file", "another one"]

    pairs = find_duplicates(curated.assign(pixels_sha256=raw), store, SEARCH)

    columns = ["first_image_id", "second_image_id", "kind"]
    assert pairs[columns].to_numpy().tolist() == [
        ["a", "b", "exact"],
        ["b", "c", "near"],
    ]


def test_pairs_across_cohorts_name_both(tmp_path):
    shown = picture(1)
    nih = cohort(tmp_path, n1=shown, n2=shown, n3=picture(2))
    covid = cohort(tmp_path, c1=picture(3), c2=through_jpeg(shown))
    rsna = cohort(tmp_path, r1=picture(3))
    sides = {"nih": nih, "rsna": rsna, "covid": covid}

    pairs = find_duplicates_across(
        {name: curated for name, (curated, _) in sides.items()},
        {name: store for name, (_, store) in sides.items()},
        SEARCH,
    )

    columns = ["first_cohort", "first_image_id", "second_cohort", "second_image_id"]
    assert pairs[columns].to_numpy().tolist() == [
        ["nih", "n1", "covid", "c2"],
        ["rsna", "r1", "covid", "c1"],
    ]
    assert pairs["kind"].tolist() == ["near", "exact"]


def test_cohorts_may_be_called_as_one_likes(tmp_path):
    shown = picture(1)
    curated, store = cohort(tmp_path, a=shown)
    others, pixels = cohort(tmp_path, b=shown)

    pairs = pair_cohorts(
        SEARCH,
        old_store_curated=curated,
        covid_curated=others,
        old_store_store=store,
        covid_store=pixels,
    )

    assert pairs[["first_cohort", "second_cohort"]].to_numpy().tolist() == [
        ["old_store", "covid"]
    ]


def test_one_cohort_alone_has_nothing_across(tmp_path):
    curated, store = cohort(tmp_path, a=picture(1))

    pairs = find_duplicates_across({"nih": curated}, {"nih": store}, SEARCH)

    assert pairs.empty
    assert {"first_cohort", "second_cohort", *PAIR_DTYPES} == set(pairs.columns)


def test_a_cohort_without_duplicates_has_the_same_columns(tmp_path):
    curated, store = cohort(tmp_path, a=picture(1), b=picture(2))

    pairs = find_duplicates(curated, store, SEARCH)

    pd.testing.assert_frame_equal(pairs, no_duplicates())


def test_the_count_of_duplicates_is_logged(tmp_path, caplog):
    image = picture(1)
    curated, store = cohort(tmp_path, a=image, b=image, c=through_jpeg(image))

    with caplog.at_level("INFO"):
        find_duplicates(curated.assign(patient_id="covid:1"), store, SEARCH)

    assert "covid_store: 1 exact and 1 near duplicates, 0 of them of two" in caplog.text


@pytest.mark.parametrize("is_within", [True, False])
def test_planted_fingerprints_are_found_in_every_block_and_no_other(is_within):
    rng = np.random.default_rng(5)
    words = rng.integers(0, 2**64, (4_500, 4), dtype=np.uint64)
    planted = {(3, 4_400): 20, (270, 280): 0, (4_200, 4_300): 20}
    inverted = {(100, 4_499): 48, (5, 6): 0}
    for (first, second), n_bits in {**planted, **inverted}.items():
        words[second] = flip(words[first], n_bits, rng)
    for _, second in inverted:
        words[second] = ~words[second]

    found = np.concatenate(list(near_pairs(words, words, SEARCH, is_within=is_within)))

    ordered = {(int(i), int(j)) for i, j in found if i < j}
    assert ordered == {*planted, *inverted}


@pytest.mark.parametrize("n_bits", [21, 256 - 49])
def test_a_fingerprint_one_bit_further_off_is_not_found(n_bits):
    rng = np.random.default_rng(6)
    words = rng.integers(0, 2**64, (1, 4), dtype=np.uint64)
    other = flip(words[0], n_bits, rng)[None]

    assert not len(np.concatenate(list(near_pairs(words, other, SEARCH))))


def flip(words, n_bits, rng):
    """Return a fingerprint with so many of its bits turned round."""
    mask = np.zeros(256, np.uint8)
    mask[rng.permutation(256)[:n_bits]] = 1
    return words ^ np.packbits(mask).view(np.uint64)


def test_the_distance_is_the_number_of_differing_bits():
    digits = ["0" * 64, "f" * 64, "0" * 62 + "81", "8" + "0" * 63]
    words = as_words(pd.Series(digits))

    distances = hamming(words[:, None], words[None])

    expected = [[(int(a, 16) ^ int(b, 16)).bit_count() for b in digits] for a in digits]
    assert distances.tolist() == expected


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"max_distance": 128}, "max_distance"),
        ({"max_distance": -1}, "max_distance"),
        ({"max_inverted_distance": 2.5}, "max_inverted_distance"),
        ({"max_inverted_distance": True}, "max_inverted_distance"),
        ({"min_correlation": 0}, "min_correlation"),
        ({"min_correlation": 1.1}, "min_correlation"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(changed, named):
    settings = {"max_distance": 9, "max_inverted_distance": 9, "min_correlation": 0.9}

    with pytest.raises(ValueError, match=f"duplicates.{named} must be"):
        DuplicateSearch(**{**settings, **changed})
