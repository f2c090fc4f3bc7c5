"""Where the files lie that are shipped beside the code."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


class TemplatesMissing(Exception):
    """The installation has no templates: neither beside the package nor inside it."""


def find_templates() -> Path:
    """The folder of templates: at the top of the repository, or inside the wheel.

    Raises:
        TemplatesMissing: neither is there.
    """
    for folder in (_PACKAGE.parent / "templates", _PACKAGE / "_data" / "templates"):
        if (folder / "layout").is_dir():
            return folder
    raise TemplatesMissing("the page templates are missing; install the package again")
