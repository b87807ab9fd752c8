"""The study that this process works on.

One process has one study at a time: Kedro's registry is one for the process, too. It
is chosen when Kedro reads its configuration (`study_config`), travels to Dask workers
with each node, and is asked for wherever names or words follow from it.
"""

from covid_cxr.study.design import Study

_chosen: Study | None = None


def choose(study: Study) -> bool:
    """Work on `study` from now on; return whether that is a change."""
    global _chosen  # noqa: PLW0603 - as Kedro's own registry
    is_new = study != _chosen
    _chosen = study
    return is_new


def is_chosen() -> bool:
    """Return whether a study was chosen in this process."""
    return _chosen is not None


def current() -> Study:
    """Return the study that was chosen.

    Raises:
        LookupError: If none was.
    """
    if _chosen is None:
        raise LookupError(
            "No study is chosen in this process. A Kedro session chooses that of its "
            "environment; elsewhere: covid_cxr.study.current.choose(read_study(text))."
        )
    return _chosen
