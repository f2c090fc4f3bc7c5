"""What an operator reads when the settings are wrong."""


class SettingsError(Exception):
    """The settings cannot be used; ``problems`` has one line for each thing to change.

    No line repeats a value, because a value may be a secret.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)
