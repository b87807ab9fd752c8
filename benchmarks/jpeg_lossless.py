"""Which decoder of JPEG lossless: right, fast, and alive after damaged files?

    python benchmarks/jpeg_lossless.py [--size 2000] [--rounds 3] [--damaged 1000]

Decoders that are installed, side by side in one run: libjpeg-turbo, liblj92 and
jpg_0xc3 in imagecodecs, and what pydicom finds of gdcm (python-gdcm) and pylibjpeg
(with the GPL's pylibjpeg-libjpeg). Of each, for 8, 12 and 16 bits,

`right`    whether the pixels are those that were encoded
`images/s` of size x size pixels per second of CPU time, the best of the rounds
`damaged`  how a process ends that decodes 64 x 64 pixels in so many damaged copies:
           "alive", or after how many copies by which signal it was ended
"""

import argparse
import contextlib
import subprocess
import sys
import time

import imagecodecs
import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import JPEGLosslessSV1
from rich.console import Console
from rich.table import Table

BITS = (8, 12, 16)
DECODERS = ("jpeg8", "ljpeg", "jpegsof3", "gdcm", "pylibjpeg")


def main():
    """Print a table with a row per decoder and precision."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--damaged", type=int, default=1000)
    parser.add_argument("--victim", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.victim:
        decode_damaged(options.victim[0], int(options.victim[1]), options.damaged)
        return
    table = Table("decoder", "bits", "right", "images/s", "damaged")
    installed = {*DECODERS[:3], *get_decoder(JPEGLosslessSV1).available_plugins}
    for name in (name for name in DECODERS if name in installed):
        for bits in BITS:
            cells = measure(name, bits, options.size, options.rounds)
            table.add_row(name, str(bits), *cells, end(name, bits, options.damaged))
    Console(width=120).print(table)


def measure(name: str, bits: int, size: int, rounds: int) -> tuple[str, str]:
    """Return whether the pixels are right, and the images per second."""
    values = radiograph(bits, size)
    frame = encode(values, bits)
    best, is_right = np.inf, True
    for _ in range(rounds):
        started = time.process_time()
        decoded = decode(name, frame, values.shape, bits)
        best = min(best, time.process_time() - started)
        is_right &= bool((decoded == values).all())
    return "yes" if is_right else "NO", f"{1 / best:.1f}"


def end(name: str, bits: int, damaged: int) -> str:
    """Return how a process ends that decodes damaged copies."""
    command = [sys.executable, __file__, "--victim", name, str(bits)]
    ended = subprocess.run(
        [*command, "--damaged", str(damaged)],
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode == 0:
        return "alive"
    return f"signal {-ended.returncode} after {ended.stdout.count('.')}"


def decode_damaged(name: str, bits: int, damaged: int) -> None:
    """Print a dot for each damaged copy that was survived."""
    values = radiograph(bits, 64)
    whole = encode(values, bits)
    for seed in range(damaged):
        rng = np.random.default_rng(seed)
        frame = bytearray(whole)
        if seed % 2:
            for at in rng.integers(0, len(frame), rng.integers(1, 6)):
                frame[at] ^= 1 << int(rng.integers(8))
        else:
            del frame[int(rng.integers(2, len(frame))) :]
        with contextlib.suppress(Exception):  # what decoders raise is not bounded
            decode(name, bytes(frame), values.shape, bits)
        print(".", end="", flush=True)


def decode(name: str, frame: bytes, shape: tuple[int, int], bits: int) -> np.ndarray:
    """Return the pixels by one of the decoders."""
    if name in DECODERS[:3]:
        return getattr(imagecodecs, f"{name}_decode")(frame)
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = JPEGLosslessSV1
    dataset.Rows, dataset.Columns = shape
    dataset.PhotometricInterpretation, dataset.SamplesPerPixel = "MONOCHROME2", 1
    dataset.BitsAllocated, dataset.PixelRepresentation = 8 if bits <= 8 else 16, 0
    dataset.BitsStored, dataset.HighBit = bits, bits - 1
    dataset.PixelData = encapsulate([frame])
    dataset["PixelData"].VR = "OB"
    decoder = get_decoder(JPEGLosslessSV1)
    return decoder.as_array(dataset, decoding_plugin=name)[0]


def encode(values: np.ndarray, bits: int) -> bytes:
    """Return a codestream with the first predictor."""
    return imagecodecs.jpeg8_encode(values, lossless=True, bitspersample=bits)


def radiograph(bits: int, size: int) -> np.ndarray:
    """Return something smooth with noise, shape (size, size)."""
    across = np.sin(np.linspace(0, np.pi, size))
    noise = np.random.default_rng(0).integers(-9, 10, (size, size))
    top = 2**bits - 1
    values = np.clip(np.rint(top * np.outer(across, across)) + noise, 0, top)
    return values.astype(np.uint8 if bits <= 8 else np.uint16)


if __name__ == "__main__":
    main()
