"""Why a command cannot do what it was asked: one line for the user, no stack trace."""


class OperationRefused(Exception):
    """The message names the cause and the next step."""
