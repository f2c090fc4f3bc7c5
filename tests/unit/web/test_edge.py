"""Host names, sizes and client addresses."""

import pytest
from werkzeug.exceptions import BadRequest, RequestHeaderFieldsTooLarge, RequestURITooLarge

from idp.web.context import client_address
from idp.web.edge import MAX_HEADER, MAX_PATH, MAX_QUERY, Edge

EDGE = Edge(issuer="https://idp.example:8443", trusted_hosts=["idp.internal"], exempt_paths=["/healthz"])


@pytest.mark.parametrize(
    "host",
    [
        "idp.example",
        "IDP.example:8443",
        "idp.internal:80",
        "localhost:8000",
        "127.0.0.1",
        "127.1.2.3:1",
        "[::1]:8000",
    ],
)
def test_own_loopback_and_trusted_hosts_are_accepted(host):
    assert EDGE.is_accepted_host(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "idp.example.evil.example",
        "idp.example@evil.example",
        "idp.example:x",
        "idp.example/",
        "10.0.0.1",
        "[::2]",
        "localhost.evil.example",
        "idp.example, evil.example",
        "idp.example.",
        "a" * 10000,
    ],
)
def test_other_hosts_are_refused(host):
    """X2: the issuer comes from configuration; other hosts are rejected."""
    with pytest.raises(BadRequest):
        EDGE.assert_acceptable({"HTTP_HOST": host, "PATH_INFO": "/token"})


def test_probes_may_use_any_host():
    EDGE.assert_acceptable({"HTTP_HOST": "10.0.0.1", "PATH_INFO": "/healthz"})


@pytest.mark.parametrize(
    ("environ", "error"),
    [
        ({"PATH_INFO": "/" * (MAX_PATH + 1)}, RequestURITooLarge),
        ({"QUERY_STRING": "x" * (MAX_QUERY + 1)}, RequestURITooLarge),
        ({"HTTP_COOKIE": "x" * (MAX_HEADER + 1)}, RequestHeaderFieldsTooLarge),
        ({"HTTP_AUTHORIZATION": "x" * (MAX_HEADER + 1)}, RequestHeaderFieldsTooLarge),
    ],
)
def test_oversized_requests_are_refused(environ, error):
    """X3: 414 and 431."""
    with pytest.raises(error):
        EDGE.assert_acceptable({"HTTP_HOST": "idp.example", "PATH_INFO": "/", **environ})


@pytest.mark.parametrize(
    ("hops", "forwarded", "address"),
    [
        (0, "1.1.1.1", "9.9.9.9"),
        (1, "1.1.1.1", "1.1.1.1"),
        (1, "6.6.6.6, 1.1.1.1", "1.1.1.1"),
        (2, "6.6.6.6, 1.1.1.1, 2.2.2.2", "1.1.1.1"),
        (2, "1.1.1.1", "9.9.9.9"),
        (1, "", "9.9.9.9"),
        (1, "junk", "9.9.9.9"),
        (1, "1.1.1.1:4711", "1.1.1.1"),
        (1, "[2001:db8::1]:4711", "2001:db8::1"),
        (1, "2001:DB8::1", "2001:db8::1"),
    ],
)
def test_the_client_address_is_what_the_outermost_trusted_proxy_saw(hops, forwarded, address):
    """L5: exactly the configured number of entries, counted from the right."""
    environ = {"REMOTE_ADDR": "9.9.9.9", "HTTP_X_FORWARDED_FOR": forwarded}

    assert client_address(environ, trusted_hops=hops) == address
