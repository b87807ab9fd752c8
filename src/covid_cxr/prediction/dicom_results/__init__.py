"""Predictions as DICOM objects, in the study of the radiograph that they are of."""
