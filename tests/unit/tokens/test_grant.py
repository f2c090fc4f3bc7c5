"""A grant survives being stored (row R14)."""

from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.tokens import AuthorizedGrant

TEXT = st.text(max_size=20)
WORDS = st.lists(TEXT, max_size=4).map(tuple)
MAYBE = st.none() | TEXT
GRANTS = st.builds(
    AuthorizedGrant,
    client_id=TEXT,
    account_id=TEXT,
    scopes=WORDS,
    resources=WORDS,
    claims_request=st.none() | st.dictionaries(TEXT, st.none() | st.booleans() | st.dictionaries(TEXT, TEXT)),
    nonce=MAYBE,
    auth_time=st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
    acr=MAYBE,
    amr=WORDS,
    redirect_uri=TEXT,
    code_challenge=MAYBE,
    sid=MAYBE,
    refresh=st.booleans(),
    offline=st.booleans(),
)


@given(GRANTS)
def test_grant_survives_storage(grant):
    stored = orjson.dumps(grant.to_json())

    assert AuthorizedGrant.from_json(orjson.loads(stored)) == grant


@given(GRANTS)
def test_members_of_a_newer_release_are_passed_over(grant):
    """X13: during a rolling upgrade both releases read the same rows."""
    assert AuthorizedGrant.from_json({**grant.to_json(), "added_later": 1}) == grant


def test_members_of_an_older_release_are_enough():
    """Rows of a release that knew fewer members are read; what it did not write takes its default."""
    older = {"client_id": "a", "account_id": "b", "scopes": ["x"], "redirect_uri": "c", "auth_time": 0}

    grant = AuthorizedGrant.from_json(older)

    assert (grant.scopes, grant.resources, grant.amr) == (("x",), (), ())
    assert (grant.nonce, grant.refresh, grant.offline) == (None, False, False)


def test_damaged_grant_is_an_error():
    with pytest.raises(KeyError):
        AuthorizedGrant.from_json({"client_id": "a"})
