"""The flow diagram."""

from covid_cxr.figures.flow_diagram import (
    CohortLane,
    DividedSet,
    Losses,
    Station,
    draw_flow,
)


def lane(**reasons):
    station = Station(title="Curated", images=1060, patients=475)
    return CohortLane(
        title="COVID-19",
        stations=[
            Station(title="Listed", images=1100, patients=None),
            station,
            station,
        ],
        losses=[
            Losses(title="Rejected", images=reasons),
            Losses(title="None", images={}),
        ],
        training_sets=[
            DividedSet(
                title="Phase 3",
                left_out=Losses(title="Left out", images={"not drawn": 60}),
                parts=[Station(title="Training", images=1000, patients=400)],
            )
        ],
    )


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts if text.get_text()]


def test_every_station_states_its_radiographs_and_the_patients_that_are_known():
    shown = texts(draw_flow([lane()]))

    assert "1,100 radiographs" in shown
    assert shown.count("475 patients") == 2
    assert "Training: 1,000 radiographs, 400 patients" in shown


def test_losses_are_shown_by_reason_and_only_where_there_are_some():
    shown = texts(draw_flow([lane(blank=30, empty=10)]))

    assert "Rejected: 40" in shown
    assert "blank: 30" in shown
    assert "Left out: 60" in shown
    assert not [text for text in shown if text.startswith("None")]


def test_rare_reasons_are_summed_up():
    reasons = {f"reason {i}": 10 - i for i in range(6)}

    shown = texts(draw_flow([lane(**reasons)]))

    assert "reason 3: 7" in shown
    assert "other reasons: 11" in shown
    assert "reason 4: 6" not in shown


def test_no_box_lies_over_another():
    figure = draw_flow([lane(**{f"a long reason number {i}": 9 for i in range(4)})] * 2)

    boxes = [
        patch.get_bbox()
        for patch in figure.axes[0].patches
        if hasattr(patch, "get_bbox")
    ]
    assert len(boxes) == 2 * (3 + 1 + 1 + 1)
    for k, box in enumerate(boxes):
        assert box.y0 >= 0
        assert box.y1 <= figure.axes[0].get_ylim()[0]
        assert not [other for other in boxes[:k] if box.overlaps(other)]
