"""Where Kedro learns which study it works on: with its configuration.

Kedro makes its registry before parameters exist, and at different times in different
commands. So the study is read by the one object that every session makes first and that
knows the environment, the config loader; a registry that was made for another study is
made anew. A command without a session takes the environment from `KEDRO_ENV`
(docs/decisions/0033).
"""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from kedro.config import OmegaConfigLoader
from kedro.framework import project
from kedro.framework.project import settings
from kedro.utils import find_kedro_project

from covid_cxr.study.current import choose
from covid_cxr.study.design import Study
from covid_cxr.study.parameters import complete
from covid_cxr.study.raw_datasets import raw_datasets
from covid_cxr.study.reading import read_study

FILE = "study.yml"


class StudyConfigLoader(OmegaConfigLoader):
    """Kedro's config loader, which also reads the study of its environment."""

    def __init__(self, *args: Any, **options: Any) -> None:
        """Choose the study of this environment for the process.

        Raises:
            MalformedStudyError: If the file states none.
            FileNotFoundError: If there is no file.
            ValueError: If there is one by another name, which nothing would read.
        """
        super().__init__(*args, **options)
        self.study = self._read_study()
        if choose(self.study):
            project.pipelines.configure(f"{__package__}.pipeline_registry")

    def __getitem__(self, key: str) -> dict[str, Any]:
        """Return a configuration, with the parameters and datasets of the study."""
        is_set = key in self
        found: dict[str, Any] = super().__getitem__(key)
        if is_set:
            return found
        if key == "parameters":
            return complete(found, self.study)
        if key == "catalog":
            return {**raw_datasets(self.study, self._data_root()), **found}
        return found

    def texts(self) -> Iterator[str]:
        """Yield the content of every file, also in an archive of `kedro package`."""
        root = PurePosixPath(self._get_conf_env_path(self.base_env)).parent
        for place in self._fs.glob(f"{root}/**/*.yml"):
            yield self._fs.cat_file(place).decode("utf-8")

    def _data_root(self) -> str:
        stated = self.runtime_params or {}
        return str(stated.get("data_root") or self["globals"]["data_root"])

    def _read_study(self) -> Study:
        envs = [self.env or self.default_run_env, self.base_env]
        places = [PurePosixPath(self._get_conf_env_path(env)) / FILE for env in envs]
        for env, place in zip(envs, places, strict=True):
            other = place.with_suffix(".yaml")
            if self._fs.exists(str(other)):
                raise ValueError(
                    f"conf/{env} has a {other.name}, which would have no effect: name "
                    f"it {FILE}."
                )
            if self._fs.exists(str(place)):
                text = self._fs.cat_file(str(place)).decode("utf-8")
                return read_study(text, file=f"conf/{env}/{FILE}")
        raise FileNotFoundError(
            f"There is no {FILE} in the environments {' and '.join(envs)}; the study "
            f"of Fricks et al. 2021 is in conf/base/{FILE} of this project."
        )


def choose_study() -> None:
    """Choose the study for a command without a session, by `KEDRO_ENV`."""
    root = find_kedro_project(Path.cwd())
    if root is None:
        raise LookupError(
            "No study is chosen, and this folder is in no Kedro project that has one."
        )
    StudyConfigLoader(
        root / settings.CONF_SOURCE,
        env=os.environ.get("KEDRO_ENV"),
        **settings.CONFIG_LOADER_ARGS,
    )
