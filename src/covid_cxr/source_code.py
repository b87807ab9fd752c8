"""What code a function depends on, told from its source without running anything."""

import ast
import hashlib
import importlib.util
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

_PYTHON = {".py", ".pyc"}


@lru_cache(maxsize=512)
def code_sha256(module: str) -> str:
    """Return the hash of a module and of all it imports inside its package.

    Imports inside functions count, and so do the files that are no Python beside a
    module, such as templates. Comments, docstrings and layout do not count.

    Args:
        module: Its name, as in "covid_cxr.training.stage".

    Raises:
        ModuleNotFoundError: If there is no such module, or it is no Python file.
    """
    package = _package_folder(module)
    names = sorted(_reachable(module, package))
    digest = hashlib.sha256()
    for name in names:
        digest.update(f"{name} {_code_digest(_read(name, package))}".encode())
    for folder in sorted({_source_file(name, package).parent for name in names}):
        for path in _files_beside(folder):
            digest.update(path.relative_to(package).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


@lru_cache(maxsize=512)
def reaches(module: str, other: str) -> bool:
    """Return whether `module` imports `other`, itself or through what it imports."""
    return other in _reachable(module, _package_folder(module))


def imported_modules(module: str) -> set[str]:
    """Return the modules of the same package that `module` itself imports."""
    package = _package_folder(module)
    return set(_inside(_read(module, package), module.partition(".")[0], package))


def _reachable(module: str, package: Path) -> set[str]:
    found, waiting = set(), {module}
    while waiting:
        name = waiting.pop()
        _source_file(name, package)
        found.add(name)
        waiting |= imported_modules(name) - found
    return found


def _package_folder(module: str) -> Path:
    """Return the folder of the top package that a module is in."""
    top = module.partition(".")[0]
    found = importlib.util.find_spec(top)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(
            f"{module} is in no package whose source can be read; a node's function "
            "must stand in a module of a package."
        )
    return Path(found.submodule_search_locations[0])


def _find_source(module: str, package: Path) -> Path | None:
    place = package.joinpath(*module.split(".")[1:])
    candidates = (place.with_suffix(".py"), place / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


def _source_file(module: str, package: Path) -> Path:
    path = _find_source(module, package)
    if path is None:
        raise ModuleNotFoundError(f"There is no source of {module} in {package}.")
    return path


def _read(module: str, package: Path) -> str:
    return _source_file(module, package).read_text(encoding="utf-8")


# Most modules are within reach of many others; parsing takes most of the time.
@lru_cache(maxsize=512)
def _imports(source: str) -> frozenset[str]:
    """Return the names of what may be modules, as far as they are imported."""
    imported = set()
    for statement in ast.walk(ast.parse(source)):
        if isinstance(statement, ast.Import):
            imported |= {alias.name for alias in statement.names}
        elif isinstance(statement, ast.ImportFrom) and statement.module:
            imported.add(statement.module)
            imported |= {
                f"{statement.module}.{alias.name}" for alias in statement.names
            }
    return frozenset(imported)


@lru_cache(maxsize=512)
def _inside(source: str, top: str, package: Path) -> frozenset[str]:
    """Return the modules of one package that a source imports."""
    return frozenset(
        name
        for name in _imports(source)
        if name.partition(".")[0] == top and _find_source(name, package) is not None
    )


@lru_cache(maxsize=512)
def _code_digest(source: str) -> str:
    """Return a hash of what the source does.

    Of that without its docstrings, comments and layout.
    """
    tree = ast.parse(source)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for part in ast.walk(tree):
        if isinstance(part, documented) and ast.get_docstring(part, clean=False):
            part.body = part.body[1:]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _files_beside(folder: Path) -> Iterator[Path]:
    """Yield the files in `folder`, and below it where there is no further package."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name != "__pycache__":
            if not (path / "__init__.py").is_file():
                yield from _files_beside(path)
        elif path.is_file() and path.suffix not in _PYTHON:
            yield path
