import pytest

from covid_cxr.checks import check_flag, check_share, check_whole, check_word


@pytest.mark.parametrize("share", [-0.1, 1.1, "half", None, True])
def test_what_is_no_share_is_refused(share):
    with pytest.raises(ValueError, match=r"^x\.y must be a share from 0 to 1, got"):
        check_share("x.y", share)


@pytest.mark.parametrize("share", [0, 0.25, 1])
def test_a_share_passes(share):
    check_share("x.y", share)


@pytest.mark.parametrize("value", [0, 1.0, "1", None, True])
def test_what_is_no_whole_number_is_refused(value):
    message = r"^x\.y must be a whole number of at least 1, got .*; correct it in a"
    with pytest.raises(ValueError, match=message):
        check_whole("x.y", value, least=1, place="a.yml")


def test_a_whole_number_has_bounds():
    check_whole("x.y", 1, least=1, most=3, place="a.yml")
    check_whole("x.y", 3, least=1, most=3, place="a.yml")
    with pytest.raises(ValueError, match="must be a whole number from 1 to 3, got 4;"):
        check_whole("x.y", 4, least=1, most=3, place="a.yml")


@pytest.mark.parametrize("value", ["maybe", ["yes"], None])
def test_another_word_is_refused(value):
    check_word("x.y", "yes", ("yes", "no"), place="a.yml")
    with pytest.raises(ValueError, match=r"x\.y must be one of yes, no, got .* a\.yml"):
        check_word("x.y", value, ("yes", "no"), place="a.yml")


@pytest.mark.parametrize("value", [0, 1, "true", None])
def test_what_is_neither_true_nor_false_is_refused(value):
    check_flag("x.y", False, place="a.yml")  # noqa: FBT003
    with pytest.raises(ValueError, match=r"x\.y must be true or false, got .* a\.yml"):
        check_flag("x.y", value, place="a.yml")
