"""Staged transfer learning on chest radiographs, as a study that survives review."""

__version__ = "0.1.0"
