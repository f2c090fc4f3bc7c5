"""What wrk prints with our script, and the requests it is given."""

import pytest

from bench.load import read_result
from bench.wire import basic, get, post

PRINTED = """Running 1s test @ http://127.0.0.1:8000
  1 threads and 16 connections
Requests/sec:   4800.00
{"requests":4800,"microseconds":1000000,"failed":2,"broken":1,"p50_us":1250,"p99_us":9500,"answers":{"200":4798,"503":2}}
"""


def test_the_figures_are_read_from_the_line_of_json():
    loaded = read_result(PRINTED)

    assert (loaded.requests, loaded.seconds, loaded.rate) == (4800, 1.0, 4800.0)
    assert (loaded.failed, loaded.broken) == (2, 1)
    assert (loaded.p50_ms, loaded.p99_ms) == (1.25, 9.5)
    assert loaded.answers == {"200": 4798, "503": 2}


def test_no_answer_at_all_is_a_rate_of_nothing():
    printed = '{"requests":0,"microseconds":0,"failed":0,"broken":16,"p50_us":0,"p99_us":0,"answers":{}}'

    assert read_result(printed).rate == 0


def test_output_without_figures_is_refused_with_what_was_printed():
    with pytest.raises(ValueError, match="unable to connect"):
        read_result("unable to connect to 127.0.0.1:1 Connection refused\n")


def test_requests_are_whole():
    assert get(8000, "/jwks", Accept="*/*") == (
        b"GET /jwks HTTP/1.1\r\nHost: localhost:8000\r\nAccept: */*\r\n\r\n"
    )
    assert post(8000, "/token", {"scope": "a b"}, Authorization="Basic eA==") == (
        b"POST /token HTTP/1.1\r\nHost: localhost:8000\r\nAuthorization: Basic eA==\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\nscope=a+b"
    )


def test_basic_authentication_quotes_both_halves():
    """RFC 6749 §2.3.1: form-encoded before they are joined."""
    assert basic("a:b", "s") == "Basic YSUzQWI6cw=="
