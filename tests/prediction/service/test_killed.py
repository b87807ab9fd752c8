"""A service in a process of its own that is killed, and begun again."""

import random
import shutil
import signal
import threading
import time
import urllib.request

import pytest

# pynetdicom leaves a socket whose peer is gone to the garbage collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <s:pytest.PytestUnraisableExceptionWarning"
)


class Sender(threading.Thread):
    """A PACS that sends each image until it is told that it has arrived."""

    def __init__(self, send, stated, images):
        super().__init__(daemon=True)
        self._send, self._stated = send, stated
        self.left = list(images)

    def run(self):
        while self.left:
            several = self.left[:5]
            statuses = self._send(self._stated, several)
            told = zip(several, statuses, strict=True)
            arrived = {id(one) for one, status in told if status == 0}
            self.left = [one for one in self.left if id(one) not in arrived]
            if not arrived:
                time.sleep(0.05)


@pytest.mark.parametrize(
    ("n_images", "n_kills"),
    [(12, 2), pytest.param(60, 10, marks=pytest.mark.slow)],
)
def test_a_service_that_is_killed_loses_nothing_and_answers_once(
    process, stated, send, make_dicom, peer, until, n_images, n_kills
):
    settings, received = peer(delay_seconds=0.02)
    stated["destinations"] = {"peer": settings}
    running = process()
    images = [make_dicom(number) for number in range(n_images)]
    sender = Sender(send, stated, images)
    sender.start()
    rng = random.Random(3)  # noqa: S311

    for _ in range(n_kills):
        time.sleep(rng.uniform(0, 1.2))
        running.end(signal.SIGKILL)
        running.begin()
    sender.join(60)
    assert not sender.left
    until(lambda: "queue_errands" not in _metrics(stated), seconds=60 + 3 * n_images)

    uids = {one.SOPInstanceUID for one in received}
    reports = {
        one.SOPInstanceUID: one.StudyInstanceUID
        for one in received
        if one.Modality == "SR"
    }
    assert sorted(reports.values()) == sorted(one.StudyInstanceUID for one in images)
    assert len(received) <= len(uids) * (1 + n_kills)  # at least once, with same UIDs
    log = running.log.read_text()
    assert "SECRET" not in log
    assert "Secret" not in log
    assert "1.2.826" not in log


def _metrics(stated):
    url = f"http://127.0.0.1:{stated['monitor']['port']}/metrics"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def test_sigterm_ends_when_the_radiograph_in_work_is_done(
    process, stated, send, make_dicom, peer, until
):
    settings, received = peer(delay_seconds=0.5)
    stated["destinations"] = {"peer": settings}
    running = process()

    assert send(stated, [make_dicom(1), make_dicom(2)]) == [0, 0]
    until(lambda: 'place="to peer"' in _metrics(stated))
    code = running.end(signal.SIGTERM)
    n_before = len(received)
    running.begin()
    until(lambda: "queue_errands" not in _metrics(stated))

    assert code == 0
    assert "ended" in running.log.read_text()
    assert "failed" not in running.log.read_text()
    assert n_before < len(received)
    assert len({one.SOPInstanceUID for one in received}) == len(received)


def test_a_bundle_that_is_changed_is_not_served(process, one_bundle, stated, tmp_path):
    changed = tmp_path / "changed"
    shutil.copytree(one_bundle, changed)
    with (changed / "path_t/model.onnx").open("ab") as file:
        file.write(b"x")

    with pytest.raises(AssertionError, match=r"has changed since it was written"):
        process(bundle=changed)
