"""The log as it is written: format, line safety, redaction on the way out."""

import io
import json
import logging

import pytest

from idp.crypto import Secret
from idp.observability import configure_logging, get_logger, new_request_id, request_id


@pytest.fixture
def log():
    """Configure, give back the lines written, and leave the process as it was."""
    root = logging.getLogger()
    before = (root.level, list(root.handlers), [list(handler.filters) for handler in root.handlers])
    levels = {
        name: logger.level
        for name, logger in root.manager.loggerDict.items()
        if isinstance(logger, logging.Logger)
    }
    stream = io.StringIO()

    def start(level="DEBUG", fmt="json"):
        configure_logging(level, fmt, stream)
        return lambda: stream.getvalue().splitlines()

    yield start
    root.setLevel(before[0])
    root.handlers = before[1]
    for handler, filters in zip(before[1], before[2], strict=True):
        handler.filters = filters
    for name, logger in root.manager.loggerDict.items():
        if isinstance(logger, logging.Logger):
            logger.setLevel(levels.get(name, logging.NOTSET))


def fail(text):
    raise ValueError(text)


def test_a_record_is_one_json_object(log):
    lines = log()
    token = request_id.set("r1")

    get_logger("idp.x").info("token.refused", extra={"fields": {"client_id": "app", "n": 1}})
    request_id.reset(token)

    (entry,) = map(json.loads, lines())
    assert entry.pop("time").endswith("Z")
    assert entry == {
        "level": "INFO",
        "logger": "idp.x",
        "message": "token.refused",
        "request_id": "r1",
        "fields": {"client_id": "app", "n": 1},
    }


@pytest.mark.parametrize("fmt", ["json", "text"])
@pytest.mark.parametrize(
    "bad", ["a\nforged", "a\r\nforged", "a\x1b[2Jforged", "a\u2028forged", "a\x85forged", "a\udcffb"]
)
def test_no_value_can_start_a_line_of_its_own(log, fmt, bad):
    """X11: log fields are encoded."""
    lines = log(fmt=fmt)

    get_logger("idp.x").warning("said %s", bad, extra={"fields": {"user": bad, bad: 1}})

    (line,) = lines()
    assert line.isprintable()


def test_a_traceback_cannot_pass_for_a_record(log):
    """X11."""
    lines = log(fmt="text")

    try:
        fail("a\n2026-01-01T00:00:00.000Z INFO forged")
    except ValueError:
        get_logger("idp.x").exception("failed")

    assert len(lines()) > 3
    assert all(line.startswith("    | ") for line in lines()[1:])


@pytest.mark.parametrize("fmt", ["json", "text"])
def test_no_secret_is_written(log, fmt):
    """X10: neither in messages, arguments, fields, exceptions, their causes, nor stacks."""
    lines = log(fmt=fmt)
    logger = get_logger("idp.x")

    logger.debug("password=%s", "canary-1")
    logger.info("x", extra={"fields": {"client_secret": "canary-2", "deep": [{"code": "canary-3"}]}})
    logger.info("%s", {"refresh_token": "canary-4"})
    logger.info(Secret("canary-5"))
    try:
        try:
            fail("idp_rt_canary6canary6")
        except ValueError:
            fail("token=canary-7")
    except ValueError:
        logger.exception("failed with code=canary-8")

    assert len(lines()) >= 5
    assert "canary" not in "\n".join(lines())


def test_a_record_that_cannot_be_formatted_is_not_printed_raw(log, capsys):
    lines = log()

    class Broken:
        def __str__(self):
            raise RuntimeError("canary")

    get_logger("idp.x").info("%s %s", "one argument")
    get_logger("idp.x").info("%s", Broken())
    get_logger("idp.x").info("x", extra={"fields": {"y": Broken()}})

    assert len(lines()) == 3
    assert "canary" not in "".join(lines())
    assert not capsys.readouterr().err


@pytest.mark.parametrize(
    "name", ["authlib.oauth2.rfc6749", "urllib3.connectionpool", "sqlalchemy.engine", "granian.x"]
)
def test_chatty_libraries_stay_quiet_at_debug_even_when_asked_to_speak(log, name):
    """X10: Authlib prints whole token responses at DEBUG."""
    lines = log("DEBUG")
    logger = logging.getLogger(name)
    logger.setLevel(logging.DEBUG)

    logger.debug("Issue token canary")
    logger.warning("heard")

    assert [json.loads(line)["message"] for line in lines()] == ["heard"]


def test_handlers_of_others_are_redacted_too(log):
    stream = io.StringIO()
    other = logging.getLogger("granian.access.test")
    handler = logging.StreamHandler(stream)
    other.addHandler(handler)
    log()

    other.warning("GET /cb?code=canary")
    other.removeHandler(handler)

    assert stream.getvalue() == "GET /cb?code=[redacted]\n"


def test_the_level_holds(log):
    lines = log("WARNING")

    get_logger("idp.x").info("unheard")
    logging.getLogger("authlib").info("unheard")
    get_logger("idp.x").warning("heard")

    assert len(lines()) == 1


def test_configuring_again_replaces_the_handler(log):
    log("INFO", "json")
    lines = log("INFO", "text")

    get_logger("idp.x").info("once")

    (line,) = lines()
    assert "INFO    idp.x once" in line


def test_text_shows_fields_after_the_message(log):
    lines = log(fmt="text")

    get_logger("idp.x").info("made", extra={"fields": {"client_id": "app", "name": "My app", "n": [1]}})

    assert lines()[0].endswith('made client_id=app name="My app" n=[1]')


def test_request_ids_differ():
    ids = {new_request_id() for _ in range(100)}

    assert len(ids) == 100
    assert all(len(each) == 24 and each.isalnum() for each in ids)
