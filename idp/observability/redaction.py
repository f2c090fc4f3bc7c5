"""Taking secrets out of whatever is about to be logged.

Two nets: values under a known name (`password=…`, `"code": "…"`, `Authorization: …`) and
values with a known shape (our typed tokens, JWTs, password hashes, private keys). Losing a
harmless word now and then is the accepted price (row X10).
"""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

REDACTED = "[redacted]"
_LONGEST = 32768
_DEEPEST = 6

_SECRET_NAMES = (
    r"(?:[\w-]{0,40}(?:password|passwd|passphrase|secret|pepper|[_-]token|[_-]assertion|[_-]jwt"
    r"|private[_-]?key|api[_-]?key)"
    r"|token|assertion|jwt|otp|totp|pin|seed|code|(?:device|user|recovery|reset)[_-]code|code[_-]verifier"
    r"|id[_-]token[_-]hint|(?:proxy-)?authorization|(?:set-)?cookie|dpop|session[_-]id|phc)"
)
_QUOTED = r"""(?:[bru]{0,2}"(?:[^"\\]|\\.)*"|[bru]{0,2}'(?:[^'\\]|\\.)*')"""
_NAME = re.compile(_SECRET_NAMES, re.IGNORECASE)

# Each pattern keeps its first group and replaces the rest.
_PATTERNS = (
    # Shapes.
    r"()-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    r"(\$argon2(?:id|i|d)\$)[^\s\"']+",
    r"(idp-root-key-1:)[A-Za-z0-9_-]+",
    r"(idp_[a-z]{2,4}_)[A-Za-z0-9_-]{6,}",
    r"()\beyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*){1,4}",
    r"()\beyJ[A-Za-z0-9_-]{24,}",
    r"(\b(?:basic|bearer|dpop)\s+)(?=[^\s\"']{0,4096}(?-i:[A-Z0-9=+/]))[A-Za-z0-9._~+/=-]{4,}",
    r"(://[^/?#@:\s\"']{0,256}:)[^/?#\s\"']{1,1024}(?=@)",
    # Whole headers: nothing after the name is kept.
    r"((?:^|[\r\n\s\"'(,])(?:(?:proxy-)?authorization|(?:set-)?cookie)\s{0,4}:\s{0,4})[^\r\n\"']+",
    # name=value, in queries, forms and prose; also percent-encoded inside another URL.
    rf"((?:\b|(?<=%3F)|(?<=%26)){_SECRET_NAMES}\s?=\s?){_QUOTED}",
    rf"((?:\b|(?<=%3F)|(?<=%26)){_SECRET_NAMES}=)[^\s&\"']+",
    rf"((?:%3F|%26){_SECRET_NAMES}%3D)[^\s&%\"']+",
    r"((?:[?&]|%3F|%26)(?:state|nonce)(?:=|%3D))[^\s&%\"']+",
    # "name": "value", ('name', 'value'), "name": ["value", …], name: value.
    rf"([\"']{_SECRET_NAMES}[\"']\s*[:,]\s*[\[(]?\s*){_QUOTED}(?:\s*,\s*{_QUOTED}(?=\s*[,\]]))*",
    rf"([\"']{_SECRET_NAMES}[\"']\s*:\s*)[^\s\"'\[({{,}}\])]+",
    rf"(\b{_SECRET_NAMES}\s?:\s{{1,4}})[^\s\"'\[{{]\S*",
)
_RULES = tuple(re.compile(pattern, re.IGNORECASE | re.DOTALL) for pattern in _PATTERNS)


def redact(text: str) -> str:
    """The text without anything that looks like, or is named like, a secret."""
    if len(text) > _LONGEST:
        text = text[:_LONGEST] + " [truncated]"
    for rule in _RULES:
        text = rule.sub(rf"\g<1>{REDACTED}", text)
    return text


def redact_fields(fields: Mapping[Any, Any]) -> dict[str, Any]:
    """Structured fields as JSON values, redacted by name and by shape at every depth."""
    return {redact(str(name)): _redact_named(str(name), value, _DEEPEST) for name, value in fields.items()}


def _redact_named(name: str, value: object, depth: int) -> object:
    if _NAME.fullmatch(name) and value is not None and not isinstance(value, bool):
        return REDACTED
    return _redact_value(value, depth)


def _redact_value(value: object, depth: int) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, bytes | bytearray):
        return redact(bytes(value).decode("utf-8", "backslashreplace"))
    if depth <= 0:
        return REDACTED
    if isinstance(value, Mapping):
        return {redact(str(key)): _redact_named(str(key), item, depth - 1) for key, item in value.items()}
    match value:
        case (str() as name, paired) if isinstance(value, tuple):
            # Form parameters travel as (name, value) pairs.
            return [redact(name), _redact_named(name, paired, depth - 1)]
        case _:
            pass
    if isinstance(value, list | tuple | AbstractSet):
        return [_redact_value(item, depth - 1) for item in value]
    return redact(str(value))
