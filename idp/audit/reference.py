"""``python -m idp.audit.reference``: print the reference page of all audit events."""

import sys

from idp.audit.description import reference_markdown

if __name__ == "__main__":
    sys.stdout.write(reference_markdown())
