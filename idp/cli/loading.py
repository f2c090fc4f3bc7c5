"""Loading by name what only some commands need."""

import gc
from importlib import import_module
from types import ModuleType


def load(module: str) -> ModuleType:
    """A module that whoever calls this does not always need, or lies above the floor of the commands.

    Collections wait meanwhile: what is loaded stays, and to look for garbage among it took a fifth of
    the start. Nor does a later one look there again.
    """
    gc.disable()
    try:
        return import_module(module)
    finally:
        gc.freeze()
        gc.enable()
