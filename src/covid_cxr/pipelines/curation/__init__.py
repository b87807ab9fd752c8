"""Radiograph files to image stores, splits and intensity statistics."""
