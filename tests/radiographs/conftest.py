"""Radiograph files, built in code."""

import io

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit


@pytest.fixture
def make_dicom():
    """Return a function that builds a chest radiograph from stored values."""

    def make(stored, **header):
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1"
        dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
        dataset.Modality = "CR"
        dataset.PhotometricInterpretation = "MONOCHROME2"
        dataset.SamplesPerPixel = 1
        dataset.Rows, dataset.Columns = stored.shape
        dataset.BitsAllocated = 8 * stored.dtype.itemsize
        dataset.BitsStored = dataset.BitsAllocated
        dataset.PixelRepresentation = int(np.issubdtype(stored.dtype, np.signedinteger))
        dataset.PixelData = stored.tobytes()
        for keyword, value in header.items():
            setattr(dataset, keyword, value)
        dataset.HighBit = dataset.BitsStored - 1
        return dataset

    return make


@pytest.fixture
def make_jpeg_dicom(make_dicom):
    """Return a function that builds a radiograph in JPEG baseline, as RSNA's are."""

    def make(pixels, **header):
        jpeg = io.BytesIO()
        Image.fromarray(pixels).save(jpeg, "JPEG", quality=95)
        dataset = make_dicom(pixels, **header)
        dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
        dataset.PixelData = encapsulate([jpeg.getvalue()])
        dataset["PixelData"].VR = "OB"
        dataset["PixelData"].is_undefined_length = True
        return dataset

    return make


@pytest.fixture
def write_dicom(tmp_path):
    """Return a function that writes a dataset to a file."""

    def write(dataset, name="radiograph.dcm"):
        path = tmp_path / name
        dataset.save_as(path, enforce_file_format=True)
        return path

    return write


@pytest.fixture
def write_png():
    """Return a function that writes pixels to a PNG file."""

    def write(path, pixels):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
        return path

    return write
