"""Reading the settings: defaults, then the file, then the environment; strict about names."""

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from idp.settings.errors import SettingsError
from idp.settings.model import Settings
from idp.settings.names import PREFIX, Field, fields, sections

_DEFAULT_FILE = Path("idp.toml")
_FILE_VARIABLE = "IDP_CONFIG"
_TEST_PREFIX = "IDP_TEST_"
_FILE_SUFFIX = "_FILE"
_LARGEST_SECRET_FILE = 65536


def load_settings(config_file: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process.

    Args:
        config_file: a TOML file; else the one ``IDP_CONFIG`` names; else ``./idp.toml`` if there is one.
        environ: the environment; the process's own by default. An empty value counts as not set.

    Raises:
        SettingsError: every unknown name and every wrong value, one line each.
    """
    variables = os.environ if environ is None else environ
    problems: list[str] = []
    path = _find_file(config_file, variables)
    values = _read_file(path, problems) if path else {}
    origins: dict[str, str] = {}
    for field, text, origin in _read_environment(variables, problems):
        _put(values, field, text)
        origins[field.key] = origin
    settings: Settings | None = None
    try:
        settings = Settings(**values)
    except ValidationError as error:
        problems += [_explain(detail, path, origins) for detail in error.errors(include_input=False)]
    if settings is None or problems:
        raise SettingsError(problems)
    return settings


def _find_file(config_file: Path | None, variables: Mapping[str, str]) -> Path | None:
    if config_file is not None:
        return config_file
    if named := variables.get(_FILE_VARIABLE):
        return Path(named)
    return _DEFAULT_FILE if _DEFAULT_FILE.exists() else None


def _read_file(path: Path, problems: list[str]) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        problems.append(f"{path}: cannot be read: {error.strerror}")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(f"{path}: is not valid TOML: {error}")
    return {}


def _read_environment(variables: Mapping[str, str], problems: list[str]) -> list[tuple[Field, str, str]]:
    """Each setting found: field, text, and the variable's name for error messages."""
    by_variable = {field.variable: field for field in fields()}
    by_file = {field.variable + _FILE_SUFFIX: field for field in by_variable.values()}
    known = by_file | by_variable  # a field named …_file wins over the file form of its neighbour
    found: list[tuple[Field, str, str]] = []
    seen: dict[str, str] = {}
    for name in sorted(variables):
        if not name.startswith(PREFIX) or name == _FILE_VARIABLE or name.startswith(_TEST_PREFIX):
            continue
        field = known.get(name)
        if field is None:
            problems.append(f"{name}: unknown name in the environment{_suggestion(name, known)}")
            continue
        text: str | None = variables[name]
        if not text:
            continue
        if field.key in seen:
            problems.append(f"{name}: {seen[field.key]} is set too; keep one of them")
            continue
        seen[field.key] = name
        if name not in by_variable:
            text = _read_secret(name, Path(variables[name]), problems)
        if text is not None:
            found.append((field, text, name))
    return found


def _read_secret(name: str, path: Path, problems: list[str]) -> str | None:
    """The content of a secret file without the line end that editors add."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_SECRET_FILE + 1)
        if len(data) > _LARGEST_SECRET_FILE:
            problems.append(f"{name}: {path} is too large to be a setting")
            return None
        return data.decode("utf-8").strip()
    except OSError as error:
        problems.append(f"{name}: {path} cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        problems.append(f"{name}: {path} is not UTF-8 text")
    return None


def _put(values: dict[str, Any], field: Field, text: str) -> None:
    if not field.section:
        values[field.name] = text
        return
    section = values.setdefault(field.section, {})
    if isinstance(section, dict):  # else the file is wrong there, which validation reports
        section[field.name] = text


def _explain(detail: ErrorDetails, path: Path | None, origins: Mapping[str, str]) -> str:
    """One error of pydantic's in an operator's words."""
    location = [str(part) for part in detail["loc"]]
    key = ".".join(location)
    where = origins.get(".".join(location[:2])) or (f"{path}: {key}" if path else key)
    if detail["type"] == "extra_forbidden":
        models = sections()
        names: Iterable[str] = Settings.model_fields
        if len(location) > 1:
            names = models[location[0]].model_fields
        kind = "key" if len(location) > 1 else "section or key"
        return f"{where}: unknown {kind}{_suggestion(location[-1], names)}"
    if detail["type"] in {"model_type", "model_attributes_type"}:
        return f"{where}: must be a section: [{key}]"
    message = detail["msg"].removeprefix("Value error, ")
    return f"{where}: {message[:1].lower()}{message[1:]}"


def _suggestion(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""
