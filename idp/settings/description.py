"""Showing the settings: the ones in force without secrets, and the reference page."""

import re
import types
import typing
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic_core import PydanticUndefined

from idp.settings.model import Settings
from idp.settings.names import Field, fields, sections
from idp.settings.urls import SecretUrl
from idp.settings.values import format_duration

_INTRODUCTION = """\
<!-- Generated from idp/settings by `idp check-config --reference`; edit the field documentation there. -->

# Configuration

Settings come from three places, the later ones win: the defaults below, the file `idp.toml` in the working
directory (or the one that `IDP_CONFIG` names), the environment. Each can also be read from a file, as secret
stores provide it: `IDP_DATABASE_URL_FILE=/run/secrets/database_url`.

An unknown key in the file or an unknown name starting with `IDP_` stops the start (`IDP_TEST_…` belongs to
the test suite). An empty environment variable counts as not set.

Durations are written as seconds (`300`), with a unit (`500ms`, `10s`, `5m`, `8h`, `30d`) or in ISO 8601
(`PT5M`); lists as `a,b` or `["a", "b"]` in the environment and as arrays in the file.

`idp check-config` prints what is in force, with secrets hidden.
"""


def describe(settings: Settings) -> dict[str, Any]:
    """The settings in force as plain JSON values; passwords inside URLs are hidden."""
    shown: dict[str, Any] = {}
    for field in fields():
        owner = getattr(settings, field.section) if field.section else settings
        target = shown.setdefault(field.section, {}) if field.section else shown
        target[field.name] = _plain(getattr(owner, field.name))
    return shown


def reference_markdown() -> str:
    """The reference page ``docs/configuration.md``, the same on every machine."""
    by_section: dict[str, list[Field]] = {}
    for field in fields():
        by_section.setdefault(field.section, []).append(field)
    lines = [_INTRODUCTION, "## Top level", ""]
    for field in by_section.pop(""):
        lines += _field_lines(field)
    for name, model in sections().items():
        lines += [f"## `[{name}]`", "", _paragraph(model.__doc__ or ""), ""]
        for field in by_section[name]:
            lines += _field_lines(field)
    return "\n".join(lines).rstrip("\n") + "\n"


def _plain(value: object) -> object:
    match value:
        case SecretUrl():
            return value.hidden
        case timedelta():
            return format_duration(value)
        case Path():
            return str(value)
        case tuple():
            return list(value)
        case _:
            return value


def _field_lines(field: Field) -> Iterator[str]:
    yield f"### `{field.key}`"
    yield ""
    yield f"`{field.variable}` · {_kind(field.info.annotation)} · default: {_default(field)}{_bounds(field)}"
    yield ""
    yield _paragraph(field.info.description or "")
    yield ""


def _paragraph(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _kind(annotation: object) -> str:
    if typing.get_origin(annotation) in {typing.Union, types.UnionType}:
        return " or ".join(
            _kind(option) for option in typing.get_args(annotation) if option is not type(None)
        )
    if typing.get_origin(annotation) is typing.Annotated:
        return _kind(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) is typing.Literal:
        return " or ".join(f"`{option}`" for option in typing.get_args(annotation))
    if typing.get_origin(annotation) is tuple:
        return "list"
    names = {
        timedelta: "duration",
        bool: "true or false",
        int: "whole number",
        Path: "path",
        SecretUrl: "URL",
    }
    return names.get(annotation, "text") if isinstance(annotation, type) else "text"


def _default(field: Field) -> str:
    extra = field.info.json_schema_extra
    if isinstance(extra, dict) and "default" in extra:
        return str(extra["default"])
    value = _plain(field.info.default)
    if value is None or value is PydanticUndefined:
        return "not set"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return "empty" if value == [] else f"`{value}`"


def _bounds(field: Field) -> str:
    """The allowed range, if the field has one."""
    words = {"ge": "at least", "gt": "more than", "le": "at most"}
    parts = [
        f"{word} `{_plain(getattr(rule, name))}`"
        for rule in field.info.metadata
        for name, word in words.items()
        if getattr(rule, name, None) is not None
    ]
    return f" · {', '.join(parts)}" if parts else ""
