"""``python -m idp.settings.reference``: print the reference page of all settings."""

import sys

from idp.settings.description import reference_markdown

if __name__ == "__main__":
    sys.stdout.write(reference_markdown())
