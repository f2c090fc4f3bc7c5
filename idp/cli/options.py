"""Options that take several values, the way scripts like to write them."""

from collections.abc import Sequence

import click


class ManyValuesCommand(click.Command):
    """A command whose repeatable options also accept their values in a row.

    ``--redirect-uri A --redirect-uri B`` and ``--redirect-uri A B`` mean the same. Usable for
    commands without positional arguments only.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeat the option name before each further value, then parse as usual."""
        repeatable = {
            name
            for parameter in self.params
            if isinstance(parameter, click.Option) and parameter.multiple
            for name in parameter.opts
        }
        return super().parse_args(ctx, _spread(args, repeatable))


def _spread(args: Sequence[str], repeatable: set[str]) -> list[str]:
    spread: list[str] = []
    current: str | None = None
    first = False
    for word in args:
        if word.startswith("--"):
            name = word.split("=", 1)[0]
            current = name if name in repeatable else None
            first = "=" not in word
        elif current is not None:
            if not first:
                spread.append(current)
            first = False
        spread.append(word)
    return spread
