"""The ``idp`` command.

Owns parsing of arguments and printing of results; every rule lives in ``admin/`` and below.
Every ``create`` prints one JSON object on standard output, messages go to standard error.
Reading order: main, options, documents, context, then one file per command group.
"""
