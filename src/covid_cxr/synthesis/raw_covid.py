"""The COVID-19 cohort as hospitals keep it: DICOM of every kind, a manifest, crops.

Files are portable and lying exposures of 12 to 15 bits, some MONOCHROME1, some with a
window and some with a VOI LUT, some with shutters around the field. Letters are burned
into the pixels, as in the paper's (Section 2.3); `crops.csv` cuts them off. Beside the
files lie masks of the lungs, which elsewhere somebody has to outline.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import Literal

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
)

from covid_cxr.radiographs.lung_masks import encode_mask
from covid_cxr.synthesis.damage import ENLARGED
from covid_cxr.synthesis.defects import MIXED_LABELS, masked_orders, plant
from covid_cxr.synthesis.dicom_files import as_bytes, new_image
from covid_cxr.synthesis.drawing import (
    Box,
    Exam,
    Look,
    draw_radiograph,
    locate_lungs,
    outline_lungs,
)
from covid_cxr.synthesis.exposure import to_grey
from covid_cxr.synthesis.hospital_settings import Synthesis
from covid_cxr.synthesis.orders import Order, RawImages, describe, orders_of
from covid_cxr.synthesis.raw_files import encode_jpeg_dicom, look_of
from covid_cxr.synthesis.strokes import FloatImage

_FONT = cv2.FONT_HERSHEY_SIMPLEX

# Unlike ChestX-ray14's, these radiographs show more than the chest; their crops do not.
_MAGNIFICATION = 0.84
_FIELD_MM = 420.0  # width of what the detector sees
_MARGIN = 0.07  # around the lungs, as a share of the image (paper, Fig. 2)


@dataclass(frozen=True, kw_only=True)
class Scanner:
    """How a machine stores what it measures.

    Attributes:
        polarity: (0028,0004); in MONOCHROME1 the lowest value is shown white.
        bits_stored: (0028,0101).
        voi: How stored values become grey: a window by its function, or a table.
        has_padding: Whether what the shutters hide is stored as padding (0028,0120).
    """

    polarity: Literal["MONOCHROME1", "MONOCHROME2"]
    bits_stored: int
    voi: Literal["LINEAR", "SIGMOID", "LUT"]
    has_padding: bool = False

    @property
    def white(self) -> int:
        """The highest value that can be stored."""
        return int(2**self.bits_stored - 1)


SCANNERS = {
    "site_a": (
        Scanner(polarity="MONOCHROME2", bits_stored=12, voi="LINEAR"),
        Scanner(polarity="MONOCHROME1", bits_stored=12, voi="LINEAR"),
    ),
    "site_b": (
        Scanner(polarity="MONOCHROME1", bits_stored=15, voi="SIGMOID"),
        Scanner(polarity="MONOCHROME2", bits_stored=14, voi="LINEAR", has_padding=True),
    ),
    "site_c": (
        Scanner(polarity="MONOCHROME2", bits_stored=12, voi="LUT"),
        Scanner(polarity="MONOCHROME1", bits_stored=13, voi="LUT", has_padding=True),
    ),
}


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What lies around the chest on one file, in pixels.

    Attributes:
        shape: Height and width.
        shutters: Blackened left, top, right and bottom edges.
        letters: The burned-in text, "" for none.
        letters_box: x, y, width and height of it.
        letters_size_px: Height of a capital.
        scanner: What stores it.
    """

    shape: tuple[int, int]
    shutters: tuple[int, int, int, int]
    letters: str
    letters_box: Box
    letters_size_px: float
    scanner: Scanner


def write_covid(
    radiographs: pd.DataFrame,
    synthesis: Synthesis,
    defects: pd.DataFrame,
    *,
    cohort: str = "covid",
) -> tuple[RawImages, pd.DataFrame, pd.DataFrame]:
    """Return the image files, `manifest.csv` and `crops.csv`.

    Returns:
        DICOM files to draw; the manifest with image, patient, rt_pcr, site, view, sex
        and age, all text; and the crops with image, x0, y0, x1, y1 in raw pixels.
    """
    covid = radiographs.loc[radiographs["cohort"] == cohort]
    orders = orders_of(radiographs, cohort=cohort)
    look, size_px = _look(synthesis), synthesis.raw_size_px
    manifest = describe(orders)
    manifest.insert(2, "rt_pcr", _results(covid, defects).to_numpy())
    boxes = {
        order.file: _crop(order.exam, _frame(order, size_px), look) for order in orders
    }
    encode = partial(
        _encode_dicom, size_px=size_px, look=look, nih_look=look_of(synthesis)
    )
    images = RawImages(orders=orders, encode=encode, workers=synthesis.workers)
    planted = plant(images, radiographs, defects, cohort=cohort)
    own = defects[defects["cohort"] == cohort]
    return planted, manifest, _crops(boxes, own)


def write_covid_masks(
    radiographs: pd.DataFrame,
    synthesis: Synthesis,
    defects: pd.DataFrame,
    *,
    cohort: str = "covid",
) -> RawImages:
    """Return a lung mask of every radiograph, PNG files of the radiographs' size.

    Those that cannot be read or show a picture of somebody else's have none.
    """
    orders = masked_orders(radiographs, defects, cohort=cohort)
    encode = partial(
        _encode_lungs, size_px=synthesis.raw_size_px, look=_look(synthesis)
    )
    # An outline is drawn sooner than handed to another process.
    return RawImages(orders=orders, encode=encode, workers=1)


def _encode_lungs(order: Order, *, size_px: int, look: Look) -> bytes:
    shape = _frame(order, size_px).shape
    return encode_mask(outline_lungs(order.exam, shape=shape, look=look))


def _results(covid: pd.DataFrame, defects: pd.DataFrame) -> pd.Series:
    """Return the RT-PCR results that the manifest states."""
    mixed = defects.loc[defects["defect"] == MIXED_LABELS, "file"]
    turned = covid["rt_pcr"].map({"positive": "negative", "negative": "positive"})
    return covid["rt_pcr"].mask(covid["file"].isin(mixed), turned)


def _crops(boxes: Mapping[str, Box], defects: pd.DataFrame) -> pd.DataFrame:
    """Return the table of crops; a copy is cropped to what it shows.

    A radiograph of another cohort needs no crop.
    """
    copies = defects[defects["of_file"].notna()]
    names = ["file", "of_file", "defect"]
    cropped: dict[str, tuple[int, ...] | None] = dict(boxes)
    for file, of_file, defect in copies[names].itertuples(index=False, name=None):
        box = boxes.get(of_file)
        factor = ENLARGED if defect == "stored_anew" else 1
        cropped[file] = None if box is None else tuple(factor * edge for edge in box)
    rows = [
        (PurePosixPath(file).name, *box)
        for file, box in cropped.items()
        if box is not None
    ]
    return pd.DataFrame(rows, columns=["image", "x0", "y0", "x1", "y1"])


def _look(synthesis: Synthesis) -> Look:
    return Look(
        sign_contrast=synthesis.sign_contrast,
        photons=synthesis.photons,
        magnification=_MAGNIFICATION,
    )


def _frame(order: Order, size_px: int) -> Frame:
    """Return the frame of one file; what is drawn does not depend on its label."""
    rng = np.random.default_rng([order.exam.drawing_seed, 5])
    height, width = (round(size_px * rng.uniform(1.0, 1.25)) for _ in range(2))
    shut = rng.random(4) < 0.45
    left, top, right, bottom = np.where(shut, rng.uniform(0.005, 0.045, 4), 0)
    scanners = SCANNERS[order.site]
    side = "R" if rng.random() < 0.5 else "L"
    texts = {"PA": side, "AP": f"{side} PORTABLE", "AP Supine": f"{side} SUPINE"}
    letters = texts[order.exam.view] if rng.random() < 0.8 else ""
    size = 0.028 * min(height, width)
    (text_width, text_height), _ = _text_size(letters, size)
    margin = 0.02 * min(height, width)
    # The patient's right is on the image's left.
    x = margin if side == "R" else width - margin - text_width
    box = (round(x), round(margin), text_width, text_height)
    return Frame(
        shape=(height, width),
        shutters=(
            round(left * width),
            round(top * height),
            round(right * width),
            round(bottom * height),
        ),
        letters=letters,
        letters_box=box,
        letters_size_px=size,
        scanner=scanners[int(rng.integers(len(scanners)))],
    )


def _crop(exam: Exam, frame: Frame, look: Look) -> Box:
    """Return x0, y0, x1, y1 around the lungs, without letters and shutters."""
    height, width = frame.shape
    x, y, lungs_width, lungs_height = locate_lungs(exam, shape=frame.shape, look=look)
    margin = round(_MARGIN * min(frame.shape))
    left, top, right, bottom = frame.shutters
    if frame.letters:
        top = max(top, frame.letters_box[1] + frame.letters_box[3] + 1)
    return (
        max(x - margin, left),
        max(y - margin, top),
        min(x + lungs_width + margin, width - right),
        min(y + lungs_height + margin, height - bottom),
    )


def _encode_dicom(order: Order, *, size_px: int, look: Look, nih_look: Look) -> bytes:
    if order.site not in SCANNERS:  # somebody took it over from another cohort
        return encode_jpeg_dicom(order, size_px=size_px, look=nih_look)
    frame = _frame(order, size_px)
    drawing = draw_radiograph(order.exam, shape=frame.shape, look=look)
    scanner = frame.scanner
    image = new_image(
        order,
        patient=order.patient,
        sop_class=DigitalXRayImageStorageForPresentation,
        transfer_syntax=ExplicitVRLittleEndian,
    )
    image.InstitutionName = order.site
    image.BurnedInAnnotation = "YES" if frame.letters else "NO"
    image.Rows, image.Columns = frame.shape
    _describe_exposure(image, scanner)
    image.BitsAllocated = 16
    image.BitsStored = scanner.bits_stored
    image.HighBit = scanner.bits_stored - 1
    _describe_grey(image, scanner)
    image.PixelData = _stored(drawing.density, frame).astype("<u2").tobytes()
    image["PixelData"].VR = "OW"
    return as_bytes(image)


def _describe_exposure(image: Dataset, scanner: Scanner) -> None:
    """Set on `image`, which is being built, what a digital X-ray image has to say."""
    image.Modality = "DX"
    image.PresentationIntentType = "FOR PRESENTATION"
    image.ImageType = ["ORIGINAL", "PRIMARY", ""]
    image.LossyImageCompression = "00"
    image.ImageLaterality = "U"  # a chest is not one of two
    image.AnatomicRegionSequence = [_code("51185008", "Chest")]
    image.AcquisitionContextSequence = []
    image.DetectorType = image.PositionerType = None
    image.ImagerPixelSpacing = [round(_FIELD_MM / image.Columns, 3)] * 2
    image.RescaleSlope, image.RescaleIntercept, image.RescaleType = 1, 0, "US"
    image.PixelIntensityRelationship = "LOG"
    is_inverse = scanner.polarity == "MONOCHROME1"
    image.PixelIntensityRelationshipSign = 1 if is_inverse else -1
    image.PhotometricInterpretation = scanner.polarity
    image.PresentationLUTShape = "INVERSE" if is_inverse else "IDENTITY"


def _code(value: str, meaning: str) -> Dataset:
    """Return the item of a code of SNOMED CT."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator = value, "SCT"
    item.CodeMeaning = meaning
    return item


def _stored(density: FloatImage, frame: Frame) -> NDArray[np.uint16]:
    """Return the stored values of `density`, with shutters and letters."""
    scanner = frame.scanner
    low, high = _range(scanner)
    shown = low + density * (high - low)
    is_lettered = _letters(frame) > 0
    shown = np.where(_shut(frame), 0, np.where(is_lettered, scanner.white, shown))
    values = scanner.white - shown if scanner.polarity == "MONOCHROME1" else shown
    if scanner.has_padding:
        values = np.where(_shut(frame), 0, np.maximum(values, 1))
    return np.asarray(np.rint(np.clip(values, 0, scanner.white)), np.uint16)


def _range(scanner: Scanner) -> tuple[float, float]:
    """Return the values of air and of the densest tissue before any inversion."""
    return 0.08 * scanner.white, 0.86 * scanner.white


def _describe_grey(image: Dataset, scanner: Scanner) -> None:
    """Set on `image`, which is being built, how its values become grey."""
    low, high = _range(scanner)
    if scanner.has_padding:
        image.PixelPaddingValue = 0
    if scanner.voi == "LUT":
        image.VOILUTSequence = Sequence([_table(scanner)])
        return
    centre = (low + high) / 2
    image.WindowCenter = round(
        scanner.white - centre if scanner.polarity == "MONOCHROME1" else centre
    )
    share = 0.95 if scanner.voi == "LINEAR" else 0.5
    image.WindowWidth = round(share * (high - low))
    image.VOILUTFunction = scanner.voi


def _table(scanner: Scanner) -> Dataset:
    """Return one VOI LUT (0028,3010) with the curve of an 8-bit display."""
    low, high = _range(scanner)
    values = np.arange(scanner.white + 1, dtype=np.float32)
    is_inverse = scanner.polarity == "MONOCHROME1"
    shown = scanner.white - values if is_inverse else values
    grey = to_grey(np.clip((shown - low) / (high - low), 0, 1))
    output = (255 - grey if is_inverse else grey).astype("<u2") * 16  # 12 bits
    table = Dataset()
    table.add_new(0x00283002, "US", [len(values), 0, 12])
    table.LUTExplanation = "NORMAL"
    table.add_new(0x00283006, "OW", output.tobytes())
    return table


def _shut(frame: Frame) -> NDArray[np.bool_]:
    height, width = frame.shape
    left, top, right, bottom = frame.shutters
    is_shut = np.ones(frame.shape, bool)
    is_shut[top : height - bottom, left : width - right] = False
    return is_shut


def _letters(frame: Frame) -> NDArray[np.uint8]:
    """Return an image of the burned-in letters, not 0 where they are."""
    canvas = np.zeros(frame.shape, np.uint8)
    if not frame.letters:
        return canvas
    x, y, _, height = frame.letters_box
    _, scale = _text_size(frame.letters, frame.letters_size_px)
    return np.asarray(
        cv2.putText(
            canvas, frame.letters, (x, y + height - 1), _FONT, scale, 255, 1, cv2.LINE_8
        ),
        np.uint8,
    )


def _text_size(text: str, size_px: float) -> tuple[tuple[int, int], float]:
    """Return width and height of `text` in pixels, and OpenCV's scale for it."""
    scale = cv2.getFontScaleFromHeight(_FONT, max(1, round(size_px)), 1)
    (width, height), _ = cv2.getTextSize(text, _FONT, scale, 1)
    return (int(width), int(height) + 1), float(scale)
