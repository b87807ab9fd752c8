"""The queue: what a crash at any step leaves, how often is tried, what is refused."""

import os
import sqlite3
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from covid_cxr.service.disk_queue import (
    DEAD,
    PREDICTION,
    WAITING,
    DiskQueue,
    dead_errands,
)
from covid_cxr.service.faults import QueueFullError
from covid_cxr.service.service_settings import Retries, Storage

UID, CONTENT, ANSWER = "1.2.3", b"radiograph", {"1.2.4": b"report", "1.2.5": b"map"}
TO = ("to peer", "to folder")


@pytest.fixture
def open_queue(tmp_path):
    """Return a function that opens the queue, as a service does when it begins."""
    opened = []

    def begin(*, bundle="bundle", **changes):
        settings = {"folder": tmp_path / "queue", "least_free_bytes": 0} | changes
        retries = Retries(
            attempts=3, predictions=2, first_seconds=0.1, longest_seconds=0.2
        )
        opened.append(DiskQueue(Storage(**settings), retries, bundle=bundle))
        return opened[-1]

    yield begin
    for one in opened:
        with suppress(OSError, sqlite3.ProgrammingError):  # the test closed it
            one.close()


def _next(queue, place):
    """Return the next errand, whose turn may be yet to come."""
    late = time.monotonic() + 0.6
    while time.monotonic() < late:
        if (found := queue.next(place)) is not None:
            return found
        time.sleep(0.005)
    return None


def _whole_way(queue, log):
    """Receive, predict and deliver; tell `log` of each promise that was made."""
    queue.receive(UID, CONTENT)
    log("received")
    if (errand := queue.next(PREDICTION)) is not None:
        queue.answer(errand, ANSWER, status="predicted", destinations=TO)
    for place in TO:
        if (errand := queue.next(place)) is not None:
            assert [one.read_bytes() for one in queue.answers(errand.item)] == [
                b"report",
                b"map",
            ]
            log(place)
            queue.finish(errand)


def test_a_crash_at_any_step_loses_nothing_and_answers_once(open_queue, tmp_path):
    """A child does all of it and dies at its n-th step, for each n until none is left.

    A step is what reaches the disk: fsync, a file's name, a commit, a removal.
    """
    n_steps = 0
    while True:
        n_steps += 1
        queue_folder = tmp_path / f"queue{n_steps}"
        told = tmp_path / f"told{n_steps}"
        if (child := os.fork()) == 0:
            _die_at(n_steps)
            with told.open("a") as file:
                _whole_way(open_queue(folder=queue_folder), lambda w: _tell(file, w))
            os._exit(0)
        _, code = os.waitpid(child, 0)
        promises = told.read_text().split("\n") if told.exists() else []

        after = open_queue(folder=queue_folder)
        _holds_what_it_promised(after, promises)
        # The sender, who was promised nothing, sends again; then all goes its way.
        delivered = []
        _whole_way(after, delivered.append)
        assert after.counts_of_errands() == {}
        assert after.counts_of_instances() == {("predicted", True): 1}
        assert not [*after.answers(after.key_of(UID))]
        assert not [*(queue_folder / "received").iterdir()]
        for place in TO:  # at least once in all
            assert place in delivered or place in promises
        after.close()
        if code == 0:
            break

    assert n_steps > 15


def _tell(file, words):
    file.write(f"{words}\n")
    file.flush()


def _die_at(n):
    """End this process before its n-th step that reaches the disk."""
    left = [n]

    def dying(step):
        def instead(*arguments, **options):
            left[0] -= 1
            if left[0] == 0:
                os._exit(9)
            return step(*arguments, **options)

        return instead

    os.fsync = dying(os.fsync)
    kind = type(Path())
    kind.replace, kind.unlink = dying(kind.replace), dying(kind.unlink)
    DiskQueue._transaction = _dying_commit(left)


def _dying_commit(left):
    def dies():
        left[0] -= 1
        if left[0] == 0:
            os._exit(9)

    @contextmanager
    def transaction(self):
        self._rows.execute("BEGIN IMMEDIATE")
        yield
        dies()  # before it
        self._rows.execute("COMMIT")
        dies()  # after it

    return transaction


def _holds_what_it_promised(queue, promises):
    key = queue.key_of(UID)
    if "received" in promises:
        assert queue.knows(UID)
    waiting = {place for (place, state) in queue.counts_of_errands()}
    if PREDICTION in waiting:
        assert queue.radiograph(key).read_bytes() == CONTENT
    if waiting & set(TO):
        assert [one.read_bytes() for one in queue.answers(key)] == [b"report", b"map"]
        assert PREDICTION not in waiting


def test_what_is_known_is_not_kept_again(open_queue):
    queue = open_queue()

    assert queue.receive(UID, CONTENT) is True
    assert queue.receive(UID, b"other") is False
    assert queue.radiograph(queue.key_of(UID)).read_bytes() == CONTENT
    assert queue.counts_of_errands() == {(PREDICTION, WAITING): 1}


def test_an_answer_of_ours_is_known(open_queue):
    queue = open_queue()
    queue.receive(UID, CONTENT)
    queue.answer(_next(queue, PREDICTION), ANSWER, status="predicted", destinations=TO)

    assert queue.knows("1.2.4")
    assert not queue.knows("1.2.6")


def test_the_same_radiograph_is_another_instance_for_another_bundle(open_queue):
    first = open_queue(bundle="first")
    _whole_way_of(first)
    first.close()

    assert not open_queue(bundle="second").knows(UID)


def _whole_way_of(queue):
    _whole_way(queue, lambda _: None)


def test_a_queue_that_waits_for_another_bundle_is_not_served(open_queue):
    first = open_queue(bundle="first")
    first.receive(UID, CONTENT)
    first.close()

    with pytest.raises(ValueError, match=r"1 radiographs .* wait for another bundle"):
        open_queue(bundle="second")

    assert open_queue(bundle="first").knows(UID)


def test_a_queue_has_one_service(open_queue):
    open_queue()

    with pytest.raises(OSError, match="a service that runs"):
        open_queue()


def test_what_fails_is_tried_later_each_time_and_laid_aside(open_queue):
    queue = open_queue()
    queue.receive(UID, CONTENT)
    queue.answer(_next(queue, PREDICTION), ANSWER, status="predicted", destinations=TO)
    ends = []
    for _ in range(3):
        errand = _next(queue, "to peer")
        assert queue.next("to peer") is None  # its turn is later
        ends.append(queue.fail(errand, "it is down"))

    assert ends == [False, False, True]
    assert _next(queue, "to peer") is None
    (dead,) = dead_errands(queue.folder)
    assert (dead.place, dead.attempts, dead.reason) == ("to peer", 3, "it is down")
    assert queue.answers(dead.item)

    assert queue.revive() == 1
    queue.finish(_next(queue, "to peer"))
    assert dead_errands(queue.folder) == []


def test_waits_double_up_to_the_longest_and_are_drawn(tmp_path):
    storage = Storage(folder=tmp_path / "queue", least_free_bytes=0)
    retries = Retries(first_seconds=2.0, longest_seconds=20.0)
    queue = DiskQueue(storage, retries, bundle="b")

    waits = {n: {queue._later(n) - time.time() for _ in range(200)} for n in range(6)}
    queue.close()

    for n, bound in enumerate((2, 4, 8, 16, 20, 20)):
        assert max(waits[n]) == pytest.approx(bound, rel=0.05)
        assert min(waits[n]) == pytest.approx(bound / 2, rel=0.05)


def test_what_ends_the_service_each_time_is_laid_aside(open_queue):
    queue = open_queue()
    queue.receive(UID, CONTENT)
    for _ in range(3):
        errand = queue.next(PREDICTION)
        queue.close()  # as by a kill: nothing is noted
        queue = open_queue()

    assert queue.is_spent(errand)


def test_kills_are_not_the_fault_of_one_radiograph(open_queue):
    queue = open_queue()
    for number in range(5):
        queue.receive(f"1.{number + 1}", CONTENT)
    for _ in range(10):  # two for each, which is what it may have
        errand = queue.next(PREDICTION)
        assert not queue.is_spent(errand)
        queue.close()
        queue = open_queue()

    assert queue.is_spent(queue.next(PREDICTION))


def test_what_could_not_be_predicted_may_come_again(open_queue):
    queue = open_queue()
    queue.receive(UID, CONTENT)
    for _ in range(2):
        queue.fail(_next(queue, PREDICTION), "damaged")
    assert queue.counts_of_errands() == {(PREDICTION, DEAD): 1}

    assert queue.receive(UID, b"mended") is True
    assert queue.radiograph(queue.key_of(UID)).read_bytes() == b"mended"
    assert _next(queue, PREDICTION).attempts == 1


def test_what_could_not_be_predicted_is_not_asked_for_again(open_queue):
    """A poll sees it each time, and would predict it for ever."""
    queue = open_queue()
    queue.receive(UID, CONTENT)
    for _ in range(2):
        queue.fail(_next(queue, PREDICTION), "damaged")

    assert queue.knows(UID)


@pytest.mark.parametrize("end", ["finish", "fail"])
def test_news_of_what_is_being_fetched_is_fetched_anew(open_queue, end):
    queue = open_queue()
    queue.fetch_later("from orthanc", ["studies/1"], bookmark="1")
    errand = queue.next("from orthanc")

    queue.fetch_later("from orthanc", ["studies/1"], bookmark="2")
    if end == "finish":
        queue.finish(errand)
    else:
        queue.fail(errand, "it is down")

    again = queue.next("from orthanc")
    assert (again.item, again.attempts, again.reason) == ("studies/1", 1, None)


def test_news_of_what_was_laid_aside_is_fetched(open_queue):
    queue = open_queue()
    queue.fetch_later("from orthanc", ["studies/1"], bookmark="1")
    for _ in range(3):
        queue.fail(_next(queue, "from orthanc"), "it is down")
    assert queue.counts_of_errands() == {("from orthanc", DEAD): 1}

    queue.fetch_later("from orthanc", ["studies/1"], bookmark="2")

    assert queue.next("from orthanc").attempts == 1


def test_what_a_server_calls_an_item_names_no_file_of_ours(open_queue, tmp_path):
    other = tmp_path / "1.2.3"
    other.mkdir()
    queue = open_queue()
    queue.fetch_later("from dicomweb", [str(other)])

    queue.finish(queue.next("from dicomweb"))

    assert other.exists()


def test_a_postponed_errand_keeps_its_attempts(open_queue):
    queue = open_queue()
    queue.receive(UID, CONTENT)

    for _ in range(5):
        errand = _next(queue, PREDICTION)
        assert errand.attempts == 1
        queue.postpone(errand)


def test_a_clock_that_was_set_back_keeps_nothing_waiting(open_queue, monkeypatch):
    queue = open_queue()
    queue.receive(UID, CONTENT)
    queue.next(PREDICTION)  # due in a moment

    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 10**6)

    assert queue.next(PREDICTION) is not None


def test_more_than_it_may_hold_is_refused_until_something_is_done(open_queue):
    queue = open_queue(most_bytes=25)
    queue.receive("1.1", b"x" * 20)

    with pytest.raises(QueueFullError, match="holds 20 of at most 25 bytes"):
        queue.receive("1.2", b"x" * 6)
    assert queue.receive("1.3", b"x" * 5)

    for _ in range(2):
        errand = _next(queue, PREDICTION)
        queue.answer(errand, {}, status="refused", destinations=["to peer"])
        queue.finish(_next(queue, "to peer"))
    assert queue.used_bytes() == 0
    assert queue.receive("1.2", b"x" * 6)


def test_a_full_disk_keeps_what_is_there_and_goes_on(open_queue, tmp_path):
    """A real one: a file system of a megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.system(f"mount -t tmpfs -o size=1M none {place} 2>/dev/null"):  # noqa: S605
        pytest.skip("a small file system cannot be mounted here")
    try:
        queue = open_queue(folder=place / "queue")
        queue.receive("1.1", b"x" * 300_000)
        with pytest.raises(QueueFullError, match="the disk has"):
            queue.receive("1.2", b"x" * 900_000)

        assert not queue.knows("1.2")
        assert sorted(p.name for p in (place / "queue/received").iterdir()) == [
            f"{queue.key_of('1.1')}.dcm"
        ]
        errand = _next(queue, PREDICTION)
        with pytest.raises(QueueFullError, match="the disk is full"):
            queue.answer(
                errand, {"1": b"x" * 900_000}, status="predicted", destinations=TO
            )
        queue.postpone(errand)
        queue.answer(
            _next(queue, PREDICTION), ANSWER, status="predicted", destinations=TO
        )
        assert queue.counts_of_errands() == {(place, WAITING): 1 for place in TO}
        queue.close()
    finally:
        os.system(f"umount -l {place}")  # noqa: S605
