"""Spellings of durations, URLs, limits and addresses."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.settings import (
    PageSettings,
    Settings,
    SettingsError,
    format_duration,
    is_loopback_host,
    load_settings,
    parse_duration,
    parse_rate,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (300, 300),
        (0.5, 0.5),
        ("300", 300),
        ("500ms", 0.5),
        ("10s", 10),
        ("5m", 300),
        ("8 h", 28800),
        ("30d", 2592000),
        ("2w", 1209600),
        ("PT5M", 300),
        ("P1DT2H", 93600),
        ("PT0.5S", 0.5),
    ],
)
def test_durations(text, seconds):
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "5 minutes", "-5m", "P", "PT", "P1Y", "P1M", "5mm", "nan", True, None, [], 1e300]
)
def test_other_texts_are_no_durations(text):
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=4000)))
def test_a_duration_survives_being_written_and_read(value):
    assert abs(parse_duration(format_duration(value)) - value) < timedelta(microseconds=10)


@pytest.mark.parametrize(
    "issuer",
    [
        "https://idp.example.com",
        "https://idp.example.com:8443/tenant/one",
        "http://localhost:8000",
        "http://127.0.0.1",
        "http://[::1]:8000",
        "http://idp.localhost",
    ],
)
def test_issuers(issuer):
    assert Settings(issuer=issuer).issuer == issuer


@pytest.mark.parametrize(
    "issuer",
    [
        "",
        "idp.example.com",
        "ftp://idp.example.com",
        "http://idp.example.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "https://",
        "https://idp.example.com/",
        "https://idp.example.com/a/",
        "https://idp.example.com/a//b",
        "https://idp.example.com/../b",
        "https://idp.example.com?a=b",
        "https://idp.example.com?",
        "https://idp.example.com#",
        "https://u:p@idp.example.com",
        "https://u@idp.example.com",
        "https://IDP.example.com",
        "HTTPS://idp.example.com",
        "https://idp.example.com:x",
        "https://idp.example.com:",
        "https://idp.example.com\n",
        " https://idp.example.com",
        "https://idp.exämple.com",
        "https://[::1",
    ],
)
def test_what_may_not_be_an_issuer(issuer):
    """X2 and OpenID Connect Discovery 1.0 §3: https, no query, no fragment."""
    with pytest.raises(ValueError, match="issuer"):
        Settings(issuer=issuer)


def test_parts_of_the_issuer():
    settings = Settings(issuer="https://example.com/idp")

    assert settings.issuer_path == "/idp"
    assert settings.is_https
    assert not Settings().is_https
    assert not Settings().issuer_path


def test_loopback_hosts():
    assert all(map(is_loopback_host, ["localhost", "LOCALHOST.", "127.9.9.9", "::1", "[::1]", "a.localhost"]))
    assert not any(map(is_loopback_host, ["localhost.example", "10.0.0.1", "", "::2", "127.1.example"]))


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_the_spellings_of_postgresql_mean_the_same(scheme):
    settings = Settings(database={"url": f"{scheme}://idp:x@db/idp?sslmode=require"})

    assert settings.database.url == "postgresql://idp:x@db/idp?sslmode=require"
    assert settings.database.dialect == "postgresql"
    assert not settings.database.migrates_itself


def test_sqlite_migrates_itself_unless_told_otherwise():
    assert Settings().database.migrates_itself
    assert not Settings(database={"auto_migrate": False}).database.migrates_itself


@pytest.mark.parametrize(
    "url",
    [
        "",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///x?mode=memory",
        "mysql://h/d",
        "postgresql:d",
        "a",
    ],
)
def test_other_databases_are_refused(url):
    with pytest.raises(ValueError, match="database"):
        Settings(database={"url": url})


@pytest.mark.parametrize("url", ["redis://h:6379/0", "rediss://u:p@h", "unix:///run/redis.sock"])
def test_redis_urls(url):
    assert Settings(redis={"url": url}).redis.url == url


@pytest.mark.parametrize("url", ["h:6379", "http://h", "redis://h:x"])
def test_other_redis_urls_are_refused(url):
    with pytest.raises(ValueError, match="redis"):
        Settings(redis={"url": url})


@pytest.mark.parametrize("limit", ["20/minute", "100/15 minutes", "5 per second", "1000/day"])
def test_limits(limit):
    assert Settings(ratelimit={"login_per_source": limit}).ratelimit.login_per_source == limit


@pytest.mark.parametrize(
    ("text", "count", "window"),
    [
        ("20/minute", 20, timedelta(minutes=1)),
        ("100/15 minutes", 100, timedelta(minutes=15)),
        ("5 per second", 5, timedelta(seconds=1)),
        ("1000 per 2days", 1000, timedelta(days=2)),
        ("3/1hour", 3, timedelta(hours=1)),
    ],
)
def test_what_a_rate_says(text, count, window):
    rate = parse_rate(text)
    assert (rate.count, rate.window) == (count, window)


def test_a_rate_has_one_name_however_it_is_written():
    assert len({parse_rate(text).name for text in ("9/hour", "9 per hour", "9/1 hours", "9per1hour")}) == 1


@pytest.mark.parametrize(
    "text", ["", "20", "minute", "0/minute", "-1/minute", "20/0 minutes", "20/month", "٢/hour"]
)
def test_what_is_no_rate_is_refused(text):
    with pytest.raises(ValueError, match="not a limit"):
        parse_rate(text)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("IDP_RATELIMIT_LOGIN_PER_SOURCE", "0/minute"),
        ("IDP_RATELIMIT_LOGIN_PER_SOURCE", "many"),
        ("IDP_SERVER_BIND", "8000"),
        ("IDP_SERVER_BIND", "localhost:99999"),
        ("IDP_TOKENS_AUTHORIZATION_CODE_LIFETIME", "61s"),
        ("IDP_PAGES_ACCENT", "red;}"),
        ("IDP_KEYS_JWKS_MAX_AGE", "1h"),
        ("IDP_TOKENS_REFRESH_TOKEN_IDLE_LIFETIME", "91d"),
        ("IDP_PASSWORDS_ARGON2_LANES", "64000"),
        ("IDP_HTTP_ALLOWED_PRIVATE_HOSTS", "[1"),
        ("IDP_HTTP_ALLOWED_PRIVATE_HOSTS", "[1]"),
        ("IDP_RATELIMIT_ENABLED", "perhaps"),
        ("IDP_LOG_LEVEL", "LOUD"),
    ],
)
def test_values_outside_of_their_rules_stop_the_start(variable, value):
    with pytest.raises(SettingsError) as caught:
        load_settings(environ={variable: value})

    (line,) = caught.value.problems
    assert line.startswith((f"{variable}: ", "keys: ", "tokens: "))


def test_the_log_level_may_be_written_in_lower_case():
    assert load_settings(environ={"IDP_LOG_LEVEL": "debug"}).log.level == "DEBUG"


def test_a_logo_is_a_picture_by_its_name(tmp_path):
    """It stops the start, before any worker meets it."""
    for name in ("logo.svg", "logo.PNG", "logo.txt"):
        (tmp_path / name).touch()

    assert PageSettings(logo_file=tmp_path / "logo.svg").logo_file == tmp_path / "logo.svg"
    assert PageSettings(logo_file=tmp_path / "logo.PNG").logo_file
    for wrong in ("logo.txt", "missing.svg"):
        with pytest.raises(ValueError, match="logo_file"):
            PageSettings(logo_file=tmp_path / wrong)
