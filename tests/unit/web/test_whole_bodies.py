"""Bodies go to the server as lists, which it sends at once; only what is a stream goes piece by piece."""

import pytest
from werkzeug.test import EnvironBuilder


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/login", "/nowhere"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_body_is_a_list_of_one(provider, path, method):
    begun = []

    body = provider.app.wsgi_app(
        EnvironBuilder(path, provider.issuer, method=method).get_environ(), lambda *told: begun.append(told)
    )

    assert isinstance(body, list)
    assert len(body) == 1
    _, headers = begun[0]
    if method == "GET":
        assert dict(headers)["Content-Length"] == str(len(body[0]))
    else:
        assert body == [b""]
