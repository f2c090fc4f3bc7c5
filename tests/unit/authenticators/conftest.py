import pytest

from idp.accounts import Accounts


@pytest.fixture
def account_id(database, repos, now):
    with database.transaction():
        account = Accounts(repos).create(username="ada", email=None, email_verified=False, claims={}, now=now)
    return account.id
