"""How the groups that linked identities bring lie in the claims of an account.

They lie beside the account's own groups, by identity, so that one identity's go without the others', and
so that whoever reads an account has them without another statement.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

GROUPS: Final = "groups"
"""The account's own groups, which an operator gave it."""

GROUPS_ELSEWHERE: Final = "groups_elsewhere"
"""What linked identities bring: ``{"xid_…": ["staff"]}``. No claim of its own: nobody can ask for it."""


def with_groups_elsewhere(
    claims: Mapping[str, Any], identity_id: str, groups: Sequence[str]
) -> dict[str, Any]:
    """The claims of an account, with exactly these groups from this identity."""
    present = claims.get(GROUPS_ELSEWHERE)
    others = {name: value for name, value in (present or {}).items() if name != identity_id}
    brought = {**others, identity_id: list(groups)} if groups else others
    rest = {name: value for name, value in claims.items() if name != GROUPS_ELSEWHERE}
    return {**rest, GROUPS_ELSEWHERE: brought} if brought else rest


def groups_in(claims: Mapping[str, Any]) -> list[str]:
    """All groups of an account, its own and those from elsewhere: each once, in the order of the alphabet."""
    lists = (claims.get(GROUPS, ()), *claims.get(GROUPS_ELSEWHERE, {}).values())
    return sorted({group for groups in lists for group in groups})
