"""JSON in and out of the commands."""

import json
from pathlib import Path
from typing import Any

import click

from idp.errors import Invalid


def print_json(value: Any) -> None:
    """Print one JSON value on standard output, for people and scripts alike."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def read_json_object(path: Path, *, option: str) -> dict[str, Any]:
    """The JSON object in a file that an option names.

    Raises:
        Invalid: the file holds something else; ``field`` is the option.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Invalid(f"{path} is not JSON: {error}", field=option) from error
    if not isinstance(document, dict):
        raise Invalid(f"{path} must hold one JSON object", field=option)
    return document
