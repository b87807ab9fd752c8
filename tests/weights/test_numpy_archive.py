"""An .npz that claims more than it holds is refused before memory is taken for it."""

import io
import resource
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from covid_cxr.weights.imported_weights import imported_weights
from covid_cxr.weights.numpy_archive import read_arrays

ARRAY = np.arange(24, dtype=np.float32).reshape(4, 6)
MOST = 2**30


def npy(array=ARRAY, *, shape=None, dtype=None):
    """Return an .npy file, with another shape or type in its header than it has."""
    content = io.BytesIO()
    header = np.lib.format.header_data_from_array_1_0(array)
    header["shape"] = shape or array.shape
    header["descr"] = dtype or header["descr"]
    np.lib.format.write_array_header_1_0(content, header)
    return content.getvalue() + array.tobytes()


def archive_of(content, *, method=zipfile.ZIP_STORED):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", method) as opened:
        opened.writestr("kernel.npy", content)
    return archive.getvalue()


def with_size_in_directory(archive, size):
    """Return an archive whose own records say how long its member is."""
    at = archive.index(b"PK\x01\x02") + 24
    archive = archive[:at] + struct.pack("<L", size) + archive[at + 4 :]
    return archive[:22] + struct.pack("<L", size) + archive[26:]


HUGE = (2**17, 2**18)  # 128 GiB of float32
FALSE = {
    "huge shape": (archive_of(npy(shape=HUGE)), "claims 137438953472 bytes"),
    "huge shape, deflated": (
        archive_of(npy(shape=HUGE), method=zipfile.ZIP_DEFLATED),
        "claims 137438953472 bytes",
    ),
    "wide type": (archive_of(npy(shape=(1,), dtype="<U9999999")), "claims 39999996"),
    "negative shape": (archive_of(npy(shape=(-4, -6))), "kernel.npy claims"),
    "overflowing shape": (archive_of(npy(shape=(2**40, 2**40))), "kernel.npy claims"),
    "truncated": (archive_of(npy()[:-8]), "and holds 88"),
    "longer": (archive_of(npy() + bytes(8)), "and holds 104"),
    "no header": (archive_of(b"\x93NUM"), "magic string"),
    "another version": (
        archive_of(b"\x93NUMPY\x09\x00" + npy()[8:]),
        "version",
    ),
    "objects": (archive_of(npy(dtype="|O")), "Object arrays"),
    "size of the member": (
        with_size_in_directory(archive_of(npy(shape=HUGE)), 2**32 - 2),
        "claims 4294967294 bytes",
    ),
    "too many bytes": (
        archive_of(npy(np.zeros(2**20)), method=zipfile.ZIP_DEFLATED),
        "at most 1048576 are read",
    ),
    "another compression": (
        archive_of(npy(np.zeros(2**12)), method=zipfile.ZIP_LZMA),
        "kernel.npy claims",
    ),
    "plain .npy": (npy(), "not a zip file"),
    "cut archive": (archive_of(npy())[:-30], "not a zip file"),
}


@pytest.fixture
def little_memory():
    """Let the process have no more than 4 GiB beside what it has."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        pytest.skip("needs Linux")
    used = int(statm.read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**32, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.parametrize("kind", FALSE)
def test_what_an_archive_does_not_hold_is_refused(kind, little_memory):
    content, message = FALSE[kind]

    with pytest.raises(ValueError, match=message):
        read_arrays(io.BytesIO(content), most_bytes=2**20)


@pytest.mark.parametrize("kind", FALSE)
def test_the_file_of_weights_is_named(tmp_path, kind, little_memory):
    file = tmp_path / "chest.npz"
    file.write_bytes(FALSE[kind][0])

    with pytest.raises(ValueError, match=r"chest\.npz"):
        imported_weights(file, {})


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(
    "arrays",
    [
        {"kernel": ARRAY},
        {"a": ARRAY.T, "b": np.float64(3.5), "c": np.zeros((0, 7))},
        {"deep/name": np.asfortranarray(ARRAY).astype(">f8"), "i": np.arange(9)},
    ],
)
def test_what_an_archive_holds_comes_back(save, arrays):
    content = io.BytesIO()
    save(content, **arrays)

    read = read_arrays(content, most_bytes=MOST)

    assert read.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(read[name], array)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_damaged_archive_gives_its_arrays_or_is_refused(method, little_memory):
    whole = archive_of(npy(), method=method)
    outcomes = set()
    for seed in range(300):
        rng = np.random.default_rng(seed)
        content = bytearray(whole)
        for at in rng.integers(0, len(content), rng.integers(1, 4)):
            content[at] ^= 1 << int(rng.integers(8))
        try:
            arrays = read_arrays(io.BytesIO(bytes(content)), most_bytes=MOST)
            outcomes.add("read")
        except ValueError:
            outcomes.add("refused")
        else:
            assert all(array.nbytes < 1000 for array in arrays.values())

    assert outcomes == {"read", "refused"}
