"""docs/federation.md says what operators look up: every preset, every reason."""

import re
from pathlib import Path

from idp.federation import preset_names

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs/federation.md").read_text(encoding="utf-8")
_REASON = re.compile(r'Upstream(?:Refused|Unavailable|Denied)\("(\w+)"|: "(\w+_refused)",')


def test_every_reason_is_explained() -> None:
    """Where a reason is put together of an endpoint and what is wrong with it, the table has both halves."""
    reasons = {
        reason
        for path in sorted((ROOT / "idp/federation").glob("*.py"))
        for found in _REASON.findall(path.read_text(encoding="utf-8"))
        for reason in found
        if reason
    }
    section = TEXT[TEXT.index("## When it does not work") :]
    explained = set(re.findall(r"`(\w+)`", section))
    halves = re.compile(r"\w+_(malformed|not_json|unreachable|address_refused)")

    assert len(reasons) > 40
    assert sorted(reason for reason in reasons - explained if not halves.fullmatch(reason)) == []


def test_every_preset_is_in_the_table() -> None:
    assert [name for name in preset_names() if f"--preset {name}" not in TEXT] == []
