"""Every setting's three names: its path, its key in the file, its name in the environment."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic.fields import FieldInfo

from idp.settings.model import Settings
from idp.settings.values import Section

PREFIX = "IDP_"


@dataclass(frozen=True, slots=True)
class Field:
    """One setting; ``section`` is empty for the top level."""

    section: str
    name: str
    info: FieldInfo

    @property
    def key(self) -> str:
        """Dotted name, as error messages and the file's reader say it."""
        return f"{self.section}.{self.name}" if self.section else self.name

    @property
    def variable(self) -> str:
        """Name in the environment; with ``_FILE`` appended it names a file that holds the value."""
        return PREFIX + self.key.replace(".", "_").upper()


def sections() -> dict[str, type[Section]]:
    """The sections by name, in the order of :class:`Settings`."""
    return {
        name: info.annotation
        for name, info in Settings.model_fields.items()
        if isinstance(info.annotation, type) and issubclass(info.annotation, Section)
    }


def fields() -> Iterator[Field]:
    """Every setting, top level first."""
    known = sections()
    for name, info in Settings.model_fields.items():
        if name not in known:
            yield Field("", name, info)
    for section, model in known.items():
        for name, info in model.model_fields.items():
            yield Field(section, name, info)
