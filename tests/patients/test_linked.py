import pandas as pd

from covid_cxr.patients.linked import first_of_linked


def links(*pairs):
    first, second = zip(*pairs, strict=True) if pairs else ((), ())
    return pd.DataFrame(
        {"first_image_id": first, "second_image_id": second}, dtype="str"
    )


def test_what_is_linked_through_others_is_one_set():
    first = first_of_linked([*"abcdef"], links("ab", "ed", "cb"), of="image_id")

    assert first == {"a": "a", "b": "a", "c": "a", "d": "d", "e": "d", "f": "f"}


def test_the_order_of_the_names_says_which_is_first():
    first = first_of_linked([*"cba"], links("ab", "bc"), of="image_id")

    assert set(first.values()) == {"c"}


def test_links_to_names_that_are_not_asked_for_are_ignored():
    first = first_of_linked([*"ab"], links("ax", "xb", "ba"), of="image_id")

    assert first == {"a": "a", "b": "a"}
    assert first_of_linked([*"ab"], links("ax", "xb"), of="image_id") == {
        "a": "a",
        "b": "b",
    }


def test_without_links_everyone_is_alone():
    assert first_of_linked([*"ab"], links(), of="image_id") == {"a": "a", "b": "b"}
