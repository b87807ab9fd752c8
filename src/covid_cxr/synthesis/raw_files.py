"""What the raw files of all sources share: their look, their formats, their defects."""

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial, update_wrapper
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit, SecondaryCaptureImageStorage

from covid_cxr.study.current import current
from covid_cxr.synthesis.defects import MIXED_LABELS, PlantedEncoder, plant
from covid_cxr.synthesis.dicom_files import as_bytes, new_image
from covid_cxr.synthesis.drawing import Look, draw_radiograph
from covid_cxr.synthesis.epidemiology import LABELS, severity_column
from covid_cxr.synthesis.exposure import to_grey
from covid_cxr.synthesis.hospital_settings import Synthesis
from covid_cxr.synthesis.orders import Order, RawImages, orders_of

MAGNIFICATION = 1.22  # collimated to the chest, as most of ChestX-ray14
_JPEG_QUALITY = 92
# A few hundred of the PNG files of ChestX-ray14 are RGBA.
_RGBA_EVERY = 50


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A cohort that is drawn: what a writer makes its published tables of.

    Attributes:
        rows: From `told`, one per radiograph.
        orders: Of them, in their order.
        images: Their files, with defects.
        size_px: Height and width that they are drawn in.
        look: What they have in common.
    """

    rows: pd.DataFrame
    orders: tuple[Order, ...]
    images: RawImages
    size_px: int
    look: Look

    def with_further(
        self, orders: Iterable[Order], *, broken: tuple[str, ...] = ()
    ) -> RawImages:
        """Return the files and more that are drawn alike, some of them cut off."""
        defect_of = dict.fromkeys(broken, "truncated")
        encode = PlantedEncoder(
            encode=self.images.encode, defect_of=defect_of, shown={}
        )
        return replace(
            self.images, orders=(*self.images.orders, *orders), encode=encode
        )


def published(
    encode: Callable[..., bytes],
) -> Callable[[Callable[[Drawn], Any]], Callable[..., Any]]:
    """Return what makes a node's function of a writer: of all that the hospital knows.

    Args:
        encode: As for `draw_files`.
    """

    def decorate(write: Callable[[Drawn], Any]) -> Callable[..., Any]:
        def whole(
            radiographs: pd.DataFrame,
            synthesis: Synthesis,
            defects: pd.DataFrame,
            *,
            cohort: str,
        ) -> Any:
            images = draw_files(
                radiographs, synthesis, defects, cohort=cohort, encode=encode
            )
            drawn = Drawn(
                rows=told(radiographs, defects, cohort=cohort),
                orders=orders_of(radiographs, cohort=cohort),
                images=images,
                size_px=synthesis.raw_size_px,
                look=look_of(synthesis),
            )
            return write(drawn)

        update_wrapper(whole, write)
        # Kedro is to bind the arguments of the whole one.
        vars(whole).pop("__wrapped__")
        return whole

    return decorate


def look_of(synthesis: Synthesis) -> Look:
    """Return the look of NIH radiographs, which RSNA and SIIM show again."""
    return Look(
        sign_contrast=synthesis.sign_contrast,
        photons=synthesis.photons,
        magnification=MAGNIFICATION,
    )


def draw_files(
    radiographs: pd.DataFrame,
    synthesis: Synthesis,
    defects: pd.DataFrame,
    *,
    cohort: str,
    encode: Callable[..., bytes],
) -> RawImages:
    """Return the image files of a cohort with its defects.

    Args:
        radiographs: From `admit_patients`.
        synthesis: Size and difficulty.
        defects: From `choose_defects`.
        cohort: Its name in the study.
        encode: An order, `size_px` and `look` to the bytes of a file; can be pickled.
    """
    images = RawImages(
        orders=orders_of(radiographs, cohort=cohort),
        encode=partial(encode, size_px=synthesis.raw_size_px, look=look_of(synthesis)),
        workers=synthesis.workers,
    )
    return plant(images, radiographs, defects, cohort=cohort)


def told(
    radiographs: pd.DataFrame, defects: pd.DataFrame, *, cohort: str
) -> pd.DataFrame:
    """Return the rows of a cohort, each finding True or False as its tables tell it.

    What the study learns is turned round where a defect has mixed labels.
    """
    own = radiographs.loc[radiographs["cohort"] == cohort]
    turned = defects.loc[defects["defect"] == MIXED_LABELS, "file"]
    is_turned = own["file"].isin(turned)
    labels = current().labels_of(cohort)
    return own.assign(
        **{
            finding: (own[severity_column(finding)] > 0)
            ^ (is_turned & (finding in labels))
            for finding in LABELS
        }
    ).reset_index(drop=True)


def grey_pixels(
    order: Order, *, size_px: int, look: Look, published_px: int | None = None
) -> NDArray[np.uint8]:
    """Return the drawn radiograph, enlarged where it is published in another size."""
    drawing = draw_radiograph(order.exam, shape=(size_px, size_px), look=look)
    pixels = to_grey(drawing.density)
    if published_px is None:
        return pixels
    return np.asarray(cv2.resize(pixels, (published_px, published_px)), np.uint8)


def encode_png(
    order: Order, *, size_px: int, look: Look, published_px: int | None = None
) -> bytes:
    """Return the PNG file of one radiograph, some of them RGBA."""
    pixels = grey_pixels(order, size_px=size_px, look=look, published_px=published_px)
    if order.exam.drawing_seed % _RGBA_EVERY == 0:
        pixels = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGRA), np.uint8)
    return as_file(pixels, ".png")


def encode_jpeg(order: Order, *, size_px: int, look: Look) -> bytes:
    """Return the JPEG file of one radiograph."""
    return as_file(grey_pixels(order, size_px=size_px, look=look), ".jpg")


def as_file(pixels: NDArray[np.uint8] | NDArray[np.uint16], kind: str) -> bytes:
    """Return the file of `pixels`; `kind` is ".png" or ".jpg"."""
    return cv2.imencode(kind, pixels)[1].tobytes()


def encode_jpeg_dicom(
    order: Order,
    *,
    size_px: int,
    look: Look,
    published_px: int | None = None,
) -> bytes:
    """Return the DICOM file of one radiograph, its pixels as 8-bit JPEG.

    Args:
        order: What is drawn.
        size_px: Height and width that it is drawn in.
        look: What the hospital's radiographs have in common.
        published_px: Height and width of the file, if others.
    """
    pixels = grey_pixels(order, size_px=size_px, look=look, published_px=published_px)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="JPEG", quality=_JPEG_QUALITY)
    image = new_image(
        order,
        patient=order.stem,
        sop_class=SecondaryCaptureImageStorage,
        transfer_syntax=JPEGBaseline8Bit,
    )
    image.ConversionType = "WSD"
    image.PhotometricInterpretation = "MONOCHROME2"
    image.Rows, image.Columns = pixels.shape
    image.BitsAllocated = image.BitsStored = 8
    image.HighBit = 7
    image.LossyImageCompression = "01"
    image.LossyImageCompressionMethod = "ISO_10918_1"
    image.PixelData = encapsulate([buffer.getvalue()])
    image["PixelData"].is_undefined_length = True
    return as_bytes(image)
