from dataclasses import replace
from itertools import islice

import pytest

from covid_cxr.synthesis.defects import no_defects
from covid_cxr.synthesis.orders import RawImages, orders_of
from covid_cxr.synthesis.raw_nih import write_nih


def test_an_order_repeats_the_row(radiographs):
    order = orders_of(radiographs, cohort="covid")[3]
    row = radiographs[radiographs["cohort"] == "covid"].iloc[3]

    assert (order.file, order.patient, order.site) == (row.file, row.patient, row.site)
    assert order.study_date == row.study_date
    assert order.exam.drawing_seed == row.drawing_seed
    assert order.exam.severities.get("covid19", 0) == row.covid19_severity
    assert order.name == f"{order.stem}.dcm"


def test_a_cohort_that_was_not_admitted_is_refused(radiographs):
    with pytest.raises(ValueError, match="'mimic'"):
        orders_of(radiographs, cohort="mimic")


def test_nothing_is_drawn_before_it_is_asked_for(radiographs, synthesis):
    drawn = []
    images = RawImages(
        orders=orders_of(radiographs, cohort="nih"),
        encode=lambda order: drawn.append(order) or b"",
        workers=1,
    )

    assert len(images) == 120
    assert drawn == []
    next(iter(images))
    assert len(drawn) == 1


def test_files_can_be_written_twice_and_are_the_same(radiographs, synthesis):
    images = write_nih(radiographs, synthesis, no_defects())[0]

    assert list(islice(images, 10)) == list(islice(images, 10))


@pytest.mark.slow
def test_two_processes_write_the_same_files_in_the_same_order(
    radiographs, make_synthesis
):
    tiny = make_synthesis(raw_size_px=32)
    images = write_nih(radiographs, tiny, no_defects())[0]
    twice = replace(images, orders=(2 * images.orders)[:210])

    alone, together = (list(replace(twice, workers=workers)) for workers in (1, 2))

    assert alone == together
    assert [path for path, _ in alone] == [order.file for order in twice.orders]
