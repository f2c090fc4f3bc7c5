"""The parameters of an authorization request as they arrived; nothing is judged here."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LIMITS: Mapping[str, int] = {  # characters per parameter (row X3)
    "client_id": 255,
    "redirect_uri": 2048,
    "response_type": 64,
    "response_mode": 64,
    "scope": 4096,
    "state": 4096,
    "nonce": 1024,
    "code_challenge": 128,
    "code_challenge_method": 16,
    "resource": 2048,
    "prompt": 128,
    "max_age": 16,
    "display": 64,
    "ui_locales": 1024,
    "claims_locales": 1024,
    "login_hint": 1024,
    "id_token_hint": 8192,
    "acr_values": 1024,
    "idp_hint": 255,
    "kc_idp_hint": 255,
    "claims": 8192,
    "request": 16384,
    "request_uri": 2048,
    "registration": 8192,
}
"""Every parameter this endpoint knows; all others are ignored. Source: RFC 6749 §3.1."""

MAX_SIZE = 16 * 1024
"""Bytes of all names and values together."""

MAX_RESOURCES = 20
"""``resource`` may repeat (RFC 8707 §2), but not without end."""


_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_UNPRINTABLE_IN_JSON = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Parameters:
    """One request of a browser, unjudged. Empty values count as absent (row R9)."""

    values: Mapping[str, str]
    """The first non-empty value of each known parameter."""
    resources: tuple[str, ...]
    """Every value of ``resource``, the one parameter that may repeat."""
    repeated: frozenset[str]
    """Known parameters that came more than once, empty values counted."""
    size: int
    """Bytes of all names and values, unknown ones too."""
    limits: Mapping[str, int]
    """Known parameters and how many characters each may have."""

    @classmethod
    def read(cls, pairs: Sequence[tuple[str, str]], limits: Mapping[str, int] = LIMITS) -> "Parameters":
        """Sort the decoded name-value pairs of a query string or form body."""
        known = [(name, value) for name, value in pairs if name in limits]
        counts = Counter(name for name, _ in known if name != "resource")
        return cls(
            values={name: value for name, value in reversed(known) if value and name != "resource"},
            resources=tuple(dict.fromkeys(value for name, value in known if value and name == "resource")),
            repeated=frozenset(name for name, count in counts.items() if count > 1),
            size=sum(_bytes(name) + _bytes(value) for name, value in pairs),
            limits=limits,
        )

    def get(self, name: str) -> str | None:
        """The value of a known parameter; ``None`` when absent or empty."""
        return self.values.get(name)

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Every known parameter with a value."""
        return (*self.values.items(), *(("resource", value) for value in self.resources))

    def oversized(self) -> str | None:
        """The first parameter that is longer than its limit or repeated too often (row X3)."""
        if len(self.resources) > MAX_RESOURCES:
            return "resource"
        return next((name for name, value in self.pairs() if len(value) > self.limits[name]), None)

    def unprintable(self) -> str | None:
        """The first parameter with NUL, control characters or broken Unicode (row X5)."""
        for name, value in self.pairs():
            if (_UNPRINTABLE_IN_JSON if name == "claims" else _UNPRINTABLE).search(value):
                return name
        return None


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
