"""What the account pages cost the database: the same for one row and for many (row X3).

| page                | statements on either database |
|---------------------|-------------------------------|
| profile             | 2                             |
| sessions            | 5                             |
| applications        | 4                             |
| history             | 3                             |
"""

from typing import Any

import pytest

from tests.account.people import add_events, add_sessions, at_home
from tests.provider import Provider

pytestmark = pytest.mark.parametrize("way", ["direct"], indirect=True)  # a server answers in its own threads

MOST = {"/account": 2, "/account/sessions": 5, "/account/apps": 4, "/account/history": 3}


@pytest.mark.parametrize("address", MOST)
@pytest.mark.parametrize("rows", [0, 300])
def test_a_page_costs_as_much_for_many_rows_as_for_none(
    provider: Provider, ada: dict[str, Any], address: str, rows: int
) -> None:
    """Row X3: no statement for each row."""
    add_sessions(provider, ada["id"], rows)
    add_events(provider, ada["id"], rows)
    browser = at_home(provider)
    for number in range(rows // 30):
        app = provider.client(f"app-{number}", first_party=False)
        provider.tokens(app, browser=browser, scope="openid")
    browser.get(address)

    with provider.container.database.statements.measure() as measured:
        page = browser.get(address)

    assert page.status == 200
    assert len(measured.statements) <= MOST[address], "\n".join(measured.statements)
