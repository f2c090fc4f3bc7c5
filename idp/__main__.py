"""``python -m idp``: the same as the ``idp`` command."""

from idp.cli.main import main

main()
