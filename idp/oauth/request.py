"""A protocol request as the back channel reads it: Authlib's request without a framework.

The body only, never the query string; parameters checked for repetition, control characters
and size before any of them means something.
"""

from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any

from authlib.oauth2.rfc6749 import OAuth2Payload, OAuth2Request
from authlib.oauth2.rfc6749.errors import InvalidRequestError

from idp.audit import Source
from idp.oauth.errors import quotable

Pairs = tuple[tuple[str, str], ...]

MAX_PARAMETERS = 50
"""More parameters than this in one request are refused."""
MAX_NAME_LENGTH = 100
"""Longest parameter name, in characters."""
MAX_VALUE_LENGTH = 8192
"""Longest parameter value, in characters; an access token with its claims fits."""


class FormPayload(OAuth2Payload):
    """The parameters of a checked form; empty ones are absent."""

    __slots__ = ("_data",)

    def __init__(self, data: Mapping[str, str]) -> None:
        self._data = data

    @property
    def data(self) -> Mapping[str, str]:
        """Name to value; every value has at least one character."""
        return self._data


class OAuthRequest(OAuth2Request):
    """One request to a protocol endpoint.

    Args:
        method: HTTP method, upper case.
        headers: ``Authorization``, if it was sent; nothing else is read.
        form: the decoded pairs of the form body in the order sent, repetitions included.
        source: where the request came from, for audit events and limits.
        fingerprint: its name among repeated requests; ``None``: it is not remembered.
    """

    form: Mapping[str, str] = {}
    """The parameters of the body; empty means absent (RFC 6749 §3.2). A member of the class only to hide
    Authlib's property of this name: each request has its own, and reading it costs no call."""

    def __init__(
        self,
        *,
        method: str,
        headers: Mapping[str, str],
        form: Pairs = (),
        source: Source,
        fingerprint: bytes | None = None,
    ) -> None:
        # Authlib's constructor is not called: it wants the address, to refuse plain http, also on
        # loopback, where the settings allow it; here the issuer decides (settings.issuer).
        self.method = method
        self.headers = headers
        self.pairs = form
        self.source = source
        self.fingerprint = fingerprint
        self.form = dict(form)
        if "" in self.form.values():
            self.form = {name: value for name, value in form if value}
        self.client: Any = None
        """The authenticated client, a ``RegisteredClient``; ``Any``, because here Authlib keeps its own."""

    @property
    def payload(self) -> FormPayload:
        """The same, as Authlib reads it."""
        return FormPayload(self.form)

    def require(self, name: str) -> str:
        """The parameter's value.

        Raises:
            InvalidRequestError: missing or empty.
        """
        value = self.form.get(name)
        if value is None:
            raise InvalidRequestError(f"The parameter {name} is missing.")
        return value

    def assert_well_formed(self) -> None:
        """Run the ordered list of checks every protocol form has to pass.

        Raises:
            InvalidRequestError: the first check that fails.

        Source: RFC 6749 §3.2; rows R9 and X3.
        """
        pairs, form = self.pairs, self.form
        text = "".join(chain.from_iterable(pairs))
        if (  # The usual form, found right by a look at all its text at once; anything else by the list.
            len(form) == len(pairs) <= MAX_PARAMETERS
            and len(text) <= MAX_VALUE_LENGTH
            and len(max(form, key=len, default="")) <= MAX_NAME_LENGTH
            and text.isascii()
            and text.isprintable()
        ):
            return
        for check in FORM_CHECKS:
            check(pairs)


def _check_count(pairs: Pairs) -> None:
    if len(pairs) > MAX_PARAMETERS:
        raise InvalidRequestError(f"The request has more than {MAX_PARAMETERS} parameters.")


def _check_lengths(pairs: Pairs) -> None:
    for name, value in pairs:
        if len(name) > MAX_NAME_LENGTH or len(value) > MAX_VALUE_LENGTH:
            raise InvalidRequestError(f"The parameter {quotable(name)} is too long.")


def _check_characters(pairs: Pairs) -> None:
    for name, value in pairs:
        for character in name + value:
            if character < " " or character == "\x7f" or "\ud800" <= character <= "\udfff":
                raise InvalidRequestError(
                    f"The parameter {quotable(name)} has characters that are not allowed."
                )


def _check_repetition(pairs: Pairs) -> None:
    """No parameter twice; ``resource`` neither, because one token has one audience (row T5)."""
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise InvalidRequestError(f"The parameter {quotable(name)} was sent more than once.")
        seen.add(name)


FORM_CHECKS: tuple[Callable[[Pairs], None], ...] = (
    _check_count,
    _check_lengths,
    _check_characters,
    _check_repetition,
)
