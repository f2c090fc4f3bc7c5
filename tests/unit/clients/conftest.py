import pytest

from idp.crypto import Secret

SECRET_KEY = Secret(b"c" * 32)


@pytest.fixture
def secret_key():
    return SECRET_KEY
