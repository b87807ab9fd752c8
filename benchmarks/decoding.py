"""How fast is a raw file read? Images per second and core, readers side by side.

    python benchmarks/decoding.py [--data FOLDER] [--files 4] [--rounds 5]

`ours`             curate(path, box=None, size_px=512), with everything it records
`our read`         the part of it that ends with 8-bit pixels of the full size
`torchxrayvision`  what its dataset classes do with a file (datasets.py and utils.py
                   as of June 2026): scikit-image or pydicom, to [-1024, 1024], a
                   centred square, scikit-image's resize to 512
`Pillow`           open, convert to grey, resize by boxes; it does not read DICOM
`bare decoder`     the fastest decoder installed, from bytes in memory to an array, with
                   nothing before and nothing after

CPU time of this process on one thread, the readers in turn, the best of the rounds.
Files are drawn by the synthetic hospital; with --data, real ones are read as well from
below that folder: nih/images, dicom, covid-chestxray-dataset/images. scikit-image comes
with the extra `benchmarks`, decoders with `codecs`.
"""

import argparse
import io
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)
from rich.console import Console
from rich.table import Table

from covid_cxr.radiographs.files import read
from covid_cxr.radiographs.record import curate
from covid_cxr.synthesis.drawing import Exam, Look, draw_radiograph

try:
    import skimage
except ModuleNotFoundError as error:
    raise SystemExit('Install what is measured: pip install ".[benchmarks]"') from error

SIZE_PX = 512
LOOK = Look(sign_contrast=1.0, photons=4000.0, magnification=1.0)
DEEP_FORMATS = {
    "uncompressed": None,
    "RLE": RLELossless,
    "JPEG-LS": JPEGLSLossless,
    "JPEG 2000": JPEG2000Lossless,
}


def main():
    """Print a table with a row per kind of file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path)
    parser.add_argument("--files", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    table = Table(
        "files (number)",
        "ours",
        "torchxrayvision",
        "ratio",
        "Pillow",
        "our read",
        "bare decoders",
        "our read : fastest",
        "ours : fastest",
        title="images per second and core",
    )
    with tempfile.TemporaryDirectory() as folder:
        kinds = dict(drawn(Path(folder), options.files))
        if options.data:
            kinds |= dict(real(options.data, options.files))
        for kind, paths in kinds.items():
            table.add_row(f"{kind} ({len(paths)})", *measure(paths, options.rounds))
    Console(width=170).print(table)


def measure(paths: list[Path], rounds: int) -> list[str]:
    """Return the cells of one row."""
    readers = {"ours": [partial(ours, path) for path in paths]}
    readers["our read"] = [partial(read, path) for path in paths]
    readers["torchxrayvision"] = [partial(as_torchxrayvision, path) for path in paths]
    if paths[0].suffix != ".dcm":
        readers["Pillow"] = [partial(by_pillow, path) for path in paths]
    bare = [decoders(path) for path in paths]
    for name in bare[0]:
        readers[f"bare {name}"] = [decoder[name] for decoder in bare]
    seconds = dict.fromkeys(readers, np.inf)
    for _ in range(rounds):
        for name, tasks in readers.items():
            started = time.process_time()
            for task in tasks:
                task()
            seconds[name] = min(seconds[name], time.process_time() - started)
    speed = {name: len(paths) / spent for name, spent in seconds.items()}
    alone = {name: speed[f"bare {name}"] for name in bare[0]}
    fastest = max(alone.values())
    return [
        f"{speed['ours']:.1f}",
        f"{speed['torchxrayvision']:.1f}",
        f"{speed['ours'] / speed['torchxrayvision']:.1f}",
        f"{speed['Pillow']:.1f}" if "Pillow" in speed else "-",
        f"{speed['our read']:.1f}",
        ", ".join(f"{name} {value:.1f}" for name, value in alone.items()),
        f"{speed['our read'] / fastest:.2f}",
        f"{speed['ours'] / fastest:.2f}",
    ]


def ours(path: Path) -> NDArray[np.uint8] | None:
    """Return a file's pixels as a store holds them."""
    return curate(path, box=None, size_px=SIZE_PX)[0]


def as_torchxrayvision(path: Path) -> NDArray[np.float32]:
    """Return a file's pixels as torchxrayvision reads them, written after its code."""
    if path.suffix == ".dcm":
        dataset = pydicom.dcmread(path, force=True)
        image, white = dataset.pixel_array, 2**dataset.BitsStored - 1
    else:
        image, white = skimage.io.imread(path), 255
    image = (2 * (image.astype(np.float32) / white) - 1.0) * 1024
    image = image[:, :, 0] if image.ndim > 2 else image
    side = min(image.shape)
    top, left = ((length - side) // 2 for length in image.shape)
    square = image[None, top : top + side, left : left + side]
    resized = skimage.transform.resize(
        square, (1, SIZE_PX, SIZE_PX), mode="constant", preserve_range=True
    )
    return np.asarray(resized, dtype=np.float32)


def by_pillow(path: Path) -> NDArray[np.uint8]:
    """Return a picture's pixels by the shortest loop that one would write."""
    with Image.open(path) as image:
        small = image.convert("L").resize((SIZE_PX, SIZE_PX), Image.Resampling.BOX)
    return np.asarray(small)


def decoders(path: Path) -> dict[str, Callable[[], object]]:
    """Return every decoder of a file by name, each on bytes that are in memory."""
    if path.suffix != ".dcm":
        return picture_decoders(path.read_bytes())
    dataset = pydicom.dcmread(path)
    decoder = get_decoder(dataset.file_meta.TransferSyntaxUID)

    plugins = decoder.available_plugins or [""]  # none where nothing is compressed
    found = {
        f"pydicom {plugin}".strip(): partial(
            decoder.as_array, dataset, decoding_plugin=plugin
        )
        for plugin in plugins
    }
    if JPEGBaseline8Bit == decoder.UID:
        frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
        return {**found, **picture_decoders(frame)}
    return found


def picture_decoders(data: bytes) -> dict[str, Callable[[], object]]:
    """Return the decoders of a PNG or JPEG."""
    encoded = np.frombuffer(data, np.uint8)
    return {
        "OpenCV": partial(cv2.imdecode, encoded, cv2.IMREAD_UNCHANGED),
        "OpenCV grey": partial(cv2.imdecode, encoded, cv2.IMREAD_GRAYSCALE),
        "Pillow": lambda: np.asarray(Image.open(io.BytesIO(data))),
    }


def drawn(folder: Path, n: int) -> Iterator[tuple[str, list[Path]]]:
    """Yield kinds of drawn files, as NIH, RSNA and CR devices write them."""
    flat = [(255 * draw(seed, 1024)).astype(np.uint8) for seed in range(n)]
    deep = [(4095 * draw(seed, 2000)).astype(np.uint16) for seed in range(n)]
    paths = [folder / f"{i}.png" for i in range(n)]
    for path, pixels in zip(paths, flat, strict=True):
        Image.fromarray(pixels).save(path)
    yield "PNG, 1024 x 1024", paths
    paths = [folder / f"jpeg-{i}.dcm" for i in range(n)]
    for path, pixels in zip(paths, flat, strict=True):
        write_jpeg_dicom(path, pixels)
    yield "DICOM, 1024 x 1024, 8-bit JPEG", paths
    for name, syntax in DEEP_FORMATS.items():
        paths = [folder / f"{name}-{i}.dcm" for i in range(n)]
        for path, pixels in zip(paths, deep, strict=True):
            write_deep_dicom(path, pixels, syntax)
        yield f"DICOM, 2000 x 2000, 12 bits, {name}", paths


def real(data: Path, n: int) -> Iterator[tuple[str, list[Path]]]:
    """Yield the kinds of real files below `data` that can be used."""
    for kind, pattern in {
        "real NIH PNG": "nih/images/*.png",
        "real DICOM, 8-bit JPEG": "dicom/siim_*.dcm",
        "real DICOM, JPEG 2000": "dicom/RG1_*.dcm",
        "real covid-chestxray JPEG": "covid-chestxray-dataset/images/*.jp*g",
        "real covid-chestxray PNG": "covid-chestxray-dataset/images/*.png",
    }.items():
        paths = [path for path in sorted(data.glob(pattern)) if is_usable(path)]
        if paths:
            chosen = np.linspace(0, len(paths) - 1, min(8 * n, len(paths)))
            yield kind, [paths[i] for i in chosen.astype(int)]


def is_usable(path: Path) -> bool:
    """Return whether torchxrayvision's path and ours both read a file."""
    try:
        as_torchxrayvision(path)
    except (OSError, ValueError):
        return False
    return ours(path) is not None


def draw(seed: int, size_px: int) -> NDArray[np.float64]:
    """Return one radiograph on [0, 1], shape (size_px, size_px)."""
    exam = Exam(
        anatomy_seed=seed,
        drawing_seed=seed,
        sex="F" if seed % 2 else "M",
        age_years=60,
        view="PA",
        severities={},
        has_devices=False,
    )
    return draw_radiograph(exam, shape=(size_px, size_px), look=LOOK).density


def new_dicom(pixels: NDArray[np.uint8 | np.uint16], bits: int) -> pydicom.Dataset:
    """Return a chest radiograph with as little header as a reader needs."""
    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1"
    dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    dataset.Modality, dataset.BodyPartExamined = "CR", "CHEST"
    dataset.PhotometricInterpretation, dataset.SamplesPerPixel = "MONOCHROME2", 1
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated = 8 * pixels.itemsize
    dataset.BitsStored, dataset.HighBit = bits, bits - 1
    dataset.PixelRepresentation = 0
    dataset.PixelData = pixels.tobytes()
    return dataset


def write_jpeg_dicom(path: Path, pixels: NDArray[np.uint8]) -> None:
    """Write a radiograph as those of the RSNA challenge are."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
    dataset = new_dicom(pixels, 8)
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    dataset.PixelData = encapsulate([buffer.getvalue()])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(path, enforce_file_format=True)


def write_deep_dicom(
    path: Path, pixels: NDArray[np.uint16], syntax: pydicom.uid.UID | None
) -> None:
    """Write a radiograph of 12 bits with a window, as a CR device does."""
    dataset = new_dicom(pixels, 12)
    dataset.WindowCenter, dataset.WindowWidth = 2048, 4096
    if syntax:
        dataset.compress(syntax, generate_instance_uid=False)
    dataset.save_as(path, enforce_file_format=True)


if __name__ == "__main__":
    main()
