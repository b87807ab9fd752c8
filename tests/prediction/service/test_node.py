"""The node on loopback, before real peers: those of pynetdicom and of dcmtk."""

import logging
import random
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import ComprehensiveSRStorage
from pynetdicom import AE
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.dsutils import encode

from covid_cxr.prediction import open_bundle
from covid_cxr.service.disk_queue import DiskQueue
from covid_cxr.service.serving import Service

# pynetdicom leaves a socket whose peer is gone to the garbage collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <s:pytest.PytestUnraisableExceptionWarning"
)
OUT_OF_RESOURCES, DOES_NOT_MATCH, CANNOT_KEEP = 0xA700, 0xA900, 0x0110


@pytest.fixture
def dcmtk():
    """Return a function that runs a program of dcmtk against the node."""

    def run(program, stated, *arguments, title="PACS", called="COVIDCXR"):
        if shutil.which(program) is None:
            pytest.skip(f"dcmtk's {program} is not installed")
        port = str(stated["sources"]["node"]["port"])
        titles = ("-aet", title, "-aec", called, "-to", "10")
        return subprocess.run(
            [program, *titles, "127.0.0.1", port, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def _answers(stated):
    folder = Path(stated["destinations"]["folder"]["path"])
    return [pydicom.dcmread(file) for file in sorted(folder.glob("*.dcm"))]


def test_what_dcmtk_sends_is_answered_in_its_study(
    serve, stated, dcmtk, make_dicom, tmp_path, until
):
    images = [make_dicom(number) for number in range(3)]
    files = [tmp_path / f"{number}.dcm" for number in range(3)]
    for image, file in zip(images, files, strict=True):
        image.save_as(file, enforce_file_format=True)
    serve(stated)

    assert dcmtk("echoscu", stated).returncode == 0
    done = dcmtk("storescu", stated, *map(str, files))

    assert done.returncode == 0, done.stderr
    until(lambda: len({one.StudyInstanceUID for one in _answers(stated)}) == 3)
    reports = [one for one in _answers(stated) if one.Modality == "SR"]
    assert {one.SOPClassUID for one in reports} == {ComprehensiveSRStorage}
    assert {one.PatientID for one in reports} == {one.PatientID for one in images}
    assert {one.StudyInstanceUID for one in reports} == {
        one.StudyInstanceUID for one in images
    }


def test_an_instance_that_comes_again_is_answered_once(
    serve, stated, send, make_dicom, until
):
    service = serve(stated)

    assert send(stated, [make_dicom(1)]) == [0]
    until(lambda: service.queue.counts_of_instances().get(("predicted", True)))
    first = {one.SOPInstanceUID for one in _answers(stated)}
    for file in Path(stated["destinations"]["folder"]["path"]).iterdir():
        file.unlink()
    assert send(stated, [make_dicom(1), make_dicom(2)]) == [0, 0]
    until(lambda: service.queue.counts_of_instances().get(("predicted", True)) == 2)

    assert first
    assert not first & {one.SOPInstanceUID for one in _answers(stated)}


def test_what_another_library_says_of_an_instance_is_not_logged(
    serve, stated, send, make_dicom, monkeypatch, caplog
):
    def fails(*_):
        raise ValueError("value of a header: Secret^Name")

    monkeypatch.setattr(DiskQueue, "receive", fails)
    serve(stated)

    assert send(stated, [make_dicom(1)]) == [CANNOT_KEEP]

    ours = [r for r in caplog.records if r.name.startswith("covid_cxr")]
    assert "cannot be kept: ValueError" in caplog.text
    assert "Secret" not in "".join(map(logging.Formatter().format, ours))


def test_an_answer_that_the_pacs_sends_back_is_no_radiograph(
    serve, stated, send, make_dicom
):
    service = serve(stated)

    ours = make_dicom(1, Manufacturer="covid-cxr")

    assert send(stated, [ours]) == [0]
    assert service.queue.counts_of_instances() == {}


@pytest.mark.parametrize(
    ("title", "called"), [("OTHER", "COVIDCXR"), ("PACS", "OTHER"), ("", "COVIDCXR")]
)
def test_another_title_is_rejected(serve, stated, dcmtk, title, called):
    serve(stated)

    done = dcmtk("echoscu", stated, title=title or "ANY", called=called)

    assert done.returncode != 0
    assert "Rejected" in done.stdout + done.stderr


def test_a_title_from_where_another_may_call_is_rejected(serve, stated, dcmtk):
    stated["sources"]["node"]["callers"] = [
        {"ae_title": "PACS", "addresses": ["10.0.0.0/8"]},
        {"ae_title": "ARCHIVE", "addresses": ["127.0.0.0/8"]},
    ]
    serve(stated)

    assert dcmtk("echoscu", stated, title="ARCHIVE").returncode == 0
    assert dcmtk("echoscu", stated, title="PACS").returncode != 0


def test_an_address_that_may_not_call_is_not_talked_to(serve, stated, dcmtk):
    stated["sources"]["node"]["callers"] = [
        {"ae_title": "PACS", "addresses": ["10.0.0.0/8", "fd00::/8"]}
    ]
    serve(stated)

    done = dcmtk("echoscu", stated)

    assert done.returncode != 0
    assert "Peer aborted" in done.stderr or "terminated" in done.stderr


def test_an_instance_larger_than_allowed_is_refused_with_a_status(
    serve, stated, send, make_dicom
):
    stated["storage"]["largest_instance_bytes"] = 5000
    service = serve(stated)

    assert send(stated, [make_dicom(1)]) == [OUT_OF_RESOURCES]
    assert service.queue.counts_of_instances() == {}


def test_a_full_queue_refuses_and_takes_again_when_there_is_room(
    serve, stated, send, make_dicom, peer, until
):
    settings, received = peer(status=lambda n: 0x0000 if n else 0xA700)
    stated["destinations"] = {"peer": settings}
    stated["storage"]["most_bytes"] = 25000
    service = serve(stated)

    statuses = send(stated, [make_dicom(number) for number in range(4)])
    room = service.queue.no_room()

    assert statuses[0] == 0
    assert OUT_OF_RESOURCES in statuses
    assert received == []
    assert room == "" or "at most 25000 bytes" in room
    received.append("let the others in")
    n_kept = statuses.count(0)
    until(
        lambda: service.queue.counts_of_instances().get(("predicted", True)) == n_kept
    )
    assert send(stated, [make_dicom(9)]) == [0]


def test_a_disk_that_is_to_be_kept_free_refuses(serve, stated, send, make_dicom):
    stated["storage"]["least_free_bytes"] = 10**15
    serve(stated)

    assert send(stated, [make_dicom(1)]) == [OUT_OF_RESOURCES]


@pytest.mark.parametrize(
    "changes",
    [
        {"SOPInstanceUID": None},
        {"StudyInstanceUID": None},
        {"StudyInstanceUID": ""},
        {"SeriesInstanceUID": None},
        {"SOPInstanceUID": "1.2.3"},  # the command says another
    ],
)
def test_an_instance_whose_answer_belongs_nowhere_is_refused(
    serve, stated, send, make_dicom, changes
):
    service = serve(stated)
    image = make_dicom(1, **changes)
    if "SOPInstanceUID" in changes:
        # pynetdicom would not send it: the command's UID is taken from the data set.
        image.SOPInstanceUID = "1.2.826.0.1.3680043.9.9999.77"
        statuses = _send_raw(stated, image, changes["SOPInstanceUID"])
    else:
        statuses = send(stated, [image])

    assert statuses == [DOES_NOT_MATCH]
    assert service.queue.counts_of_instances() == {}


def _send_raw(stated, image, uid):
    """Send a data set whose SOPInstanceUID is not that of the command."""
    ae = AE(ae_title="PACS")
    ae.add_requested_context(image.SOPClassUID, image.file_meta.TransferSyntaxUID)
    association = ae.associate(
        "127.0.0.1", stated["sources"]["node"]["port"], ae_title="COVIDCXR"
    )
    request = C_STORE()
    request.MessageID, request.Priority = 1, 2
    request.AffectedSOPClassUID = image.SOPClassUID
    request.AffectedSOPInstanceUID = image.SOPInstanceUID
    if uid is None:
        del image.SOPInstanceUID
    else:
        image.SOPInstanceUID = uid
    request.DataSet = BytesIO(
        encode(image, is_implicit_vr=False, is_little_endian=True)
    )
    context = association.accepted_contexts[0].context_id
    association._reactor_checkpoint.clear()
    association.dimse.send_msg(request, context)
    _, response = association.dimse.get_msg(block=True)
    association._reactor_checkpoint.set()
    association.release()
    return [response.Status]


def test_other_objects_are_declined_when_the_peer_asks(serve, stated, send, make_dicom):
    serve(stated)

    report = make_dicom(1, SOPClassUID=ComprehensiveSRStorage)

    assert send(stated, [report]) == [None]


def test_a_port_that_is_taken_is_named(stated, one_bundle, settings_of):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", stated["sources"]["node"]["port"]))
        taken.listen()
        settings = settings_of(stated)
        bundle = open_bundle(one_bundle)
        queue = DiskQueue(settings.storage, settings.retries, bundle=bundle.sha256)
        service = Service(bundle=bundle, settings=settings, queue=queue)

        with pytest.raises(OSError, match=r"Port \d+ .*taken by another program"):
            service.run()
    queue.close()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Return a function that makes a key and a certificate, signed by an authority."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*arguments):
        subprocess.run(
            [shutil.which("openssl"), *arguments],
            cwd=folder,
            check=True,
            capture_output=True,
        )

    def make(name, authority="authority"):
        new = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
        told = ("-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key")
        if not (folder / f"{authority}.crt").exists():
            root = (
                "-nodes",
                "-subj",
                f"/CN={authority}",
                "-keyout",
                f"{authority}.key",
            )
            openssl(*new, "-x509", *root, "-out", f"{authority}.crt")
        openssl(*new, *told, "-out", f"{name}.csr")
        (folder / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost")
        signed = ("-CA", f"{authority}.crt", "-CAkey", f"{authority}.key")
        openssl(
            *("x509", "-req", "-in", f"{name}.csr", *signed, "-CAcreateserial"),
            *("-extfile", "names", "-out", f"{name}.crt"),
        )
        return {
            "certificate": str(folder / f"{name}.crt"),
            "key": str(folder / f"{name}.key"),
            "authority": str(folder / f"{authority}.crt"),
        }

    return make


def _client_context(files):
    context = ssl.create_default_context(cafile=files["authority"])
    context.load_cert_chain(files["certificate"], files["key"])
    return context, "localhost"


def test_tls_lets_in_whom_its_authority_signed(
    serve, stated, send, make_dicom, certificates, dcmtk, peer, until
):
    stated["sources"]["node"]["tls"] = certificates("service")
    serve(stated)
    known, strange = certificates("pacs"), certificates("stranger", "nobody")
    strange["authority"] = known["authority"]

    assert send(stated, [make_dicom(1)], tls=_client_context(known)) == [0]
    assert send(stated, [make_dicom(2)], tls=_client_context(strange)) == [None]
    assert dcmtk("echoscu", stated).returncode != 0
    assert send(stated, [make_dicom(3)], tls=_client_context(known)) == [0]


def test_a_call_that_does_not_shake_hands_stops_nobody(
    serve, stated, send, make_dicom, certificates
):
    stated["sources"]["node"]["tls"] = certificates("service")
    serve(stated)

    with socket.create_connection(("127.0.0.1", stated["sources"]["node"]["port"])):
        known = _client_context(certificates("pacs"))
        began = time.monotonic()
        assert send(stated, [make_dicom(1)], tls=known) == [0]
        assert time.monotonic() - began < 3


def test_answers_go_by_tls_to_whom_our_authority_signed(
    serve, stated, send, make_dicom, certificates, peer, until
):
    files = certificates("viewer")
    context = ssl.create_default_context(
        ssl.Purpose.CLIENT_AUTH, cafile=files["authority"]
    )
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(files["certificate"], files["key"])
    settings, received = peer(tls=context)
    stated["destinations"] = {"peer": settings | {"tls": certificates("service")}}
    service = serve(stated)

    send(stated, [make_dicom(1)])

    until(lambda: service.queue.counts_of_instances().get(("predicted", True)))
    assert {one.PatientID for one in received} == {"SECRET1"}


@pytest.mark.parametrize("authority", ["nobody", None])
def test_answers_wait_for_a_peer_that_is_not_believed(
    serve, stated, send, make_dicom, certificates, peer, until, authority
):
    settings, received = peer()
    if authority:
        settings["tls"] = certificates("stranger", authority)
    else:
        settings["port"] += 1
    stated["destinations"] = {"peer": settings}
    service = serve(stated)

    send(stated, [make_dicom(1)])

    failed = ("errands", (("place", "to peer"), ("outcome", "failed")))
    until(lambda: service.tally.counts().get(failed))
    (errand,) = (("to peer", "waiting"),)
    assert service.queue.counts_of_errands() == {errand: 1}
    assert received == []


# pynetdicom's state machine ends its thread by an event that it does not expect.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_garbage_on_the_port_stops_nobody(
    serve, stated, send, make_dicom, dcmtk, until
):
    of_others = _open_associations()  # services of earlier tests
    serve(stated)
    rng = random.Random(7)  # noqa: S311 - a fuzz
    port = stated["sources"]["node"]["port"]
    late = time.monotonic() + 5
    n_calls = 0
    while time.monotonic() < late:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as call:
            call.sendall(_garbage(rng))
        n_calls += 1

    assert n_calls > 50
    until(lambda: dcmtk("echoscu", stated).returncode == 0, seconds=10)
    assert send(stated, [make_dicom(1)]) == [0]
    until(lambda: not _open_associations() - of_others, seconds=20)


def _open_associations():
    return {one for one in threading.enumerate() if "AcceptorThread" in one.name}


def _garbage(rng):
    """Return random bytes, or an association request with a few bytes changed."""
    if rng.random() < 0.3:
        return rng.randbytes(rng.randrange(1, 400))
    request = bytearray(_association_request())
    for _ in range(rng.randrange(1, 8)):
        request[rng.randrange(len(request))] = rng.randrange(256)
    return bytes(request) + rng.randbytes(rng.randrange(200))


def _association_request():
    """Return an A-ASSOCIATE-RQ PDU (PS3.8 9.3.2) for C-ECHO, built by hand."""

    def item(kind, content):
        return struct.pack(">BBH", kind, 0, len(content)) + content

    syntax = item(0x30, b"1.2.840.10008.1.1") + item(0x40, b"1.2.840.10008.1.2")
    user = item(0x51, struct.pack(">I", 16384)) + item(0x52, b"1.2.3.4")
    content = (
        struct.pack(">HH", 1, 0)
        + b"COVIDCXR".ljust(16)
        + b"PACS".ljust(16)
        + bytes(32)
        + item(0x10, b"1.2.840.10008.3.1.1.1")
        + item(0x20, bytes([1, 0, 0, 0]) + syntax)
        + item(0x50, user)
    )
    return struct.pack(">BBI", 1, 0, len(content)) + content


def test_the_request_of_the_fuzz_is_one(serve, stated):
    serve(stated)
    port = stated["sources"]["node"]["port"]

    with socket.create_connection(("127.0.0.1", port), timeout=5) as call:
        call.sendall(_association_request())

        assert call.recv(1) == b"\x02"  # A-ASSOCIATE-AC


def test_a_peer_that_claims_gigabytes_is_not_listened_to(serve, stated):
    stated["storage"]["largest_instance_bytes"] = 10**6
    serve(stated)
    port = stated["sources"]["node"]["port"]

    with socket.create_connection(("127.0.0.1", port), timeout=10) as call:
        call.sendall(struct.pack(">BBI", 1, 0, 2**32 - 1) + bytes(1000))
        began = time.monotonic()

        assert call.recv(1) in {b"", b"\x07"}  # the end, or A-ABORT
        assert time.monotonic() - began < 4  # and no time-out


def test_silent_calls_do_not_keep_others_out(serve, stated, dcmtk):
    stated["sources"]["node"]["most_associations"] = 2
    stated["sources"]["node"]["timeout_seconds"] = 1.0
    serve(stated)
    port = stated["sources"]["node"]["port"]

    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
    time.sleep(1.5)
    done = dcmtk("echoscu", stated)
    for one in silent:
        one.close()

    assert done.returncode == 0
