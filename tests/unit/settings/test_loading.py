"""Where settings come from, and what stops the start."""

from datetime import timedelta
from pathlib import Path

import pytest

from idp.settings import Settings, SettingsError, load_settings


@pytest.fixture
def config(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "idp.toml"
        path.write_text(text)
        return path

    return write


def problems(config_file=None, **environ) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load_settings(config_file, environ)
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


def test_without_file_and_environment_everything_has_a_default(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    settings = load_settings(environ={})

    assert settings == Settings()
    assert settings.issuer == "http://localhost:8000"
    assert settings.database.url == "sqlite:///var/idp.sqlite3"
    assert settings.redis.url is None


def test_the_environment_wins_over_the_file(config):
    path = config(
        'issuer = "https://a.example"\n[tokens]\naccess_token_lifetime = "2m"\nid_token_lifetime = 120\n'
    )

    settings = load_settings(path, {"IDP_TOKENS_ACCESS_TOKEN_LIFETIME": "3m"})

    assert settings.issuer == "https://a.example"
    assert settings.tokens.access_token_lifetime == timedelta(minutes=3)
    assert settings.tokens.id_token_lifetime == timedelta(minutes=2)


def test_the_file_in_the_working_directory_is_read(config, tmp_path, monkeypatch):
    config("[server]\nworkers = 3\n")
    monkeypatch.chdir(tmp_path)

    assert load_settings(environ={}).server.workers == 3


def test_the_file_may_be_named_by_the_environment(config):
    path = config("[server]\nworkers = 3\n")

    assert load_settings(environ={"IDP_CONFIG": str(path)}).server.workers == 3


def test_making_settings_directly_ignores_the_environment(monkeypatch):
    monkeypatch.setenv("IDP_ISSUER", "https://other.example")
    monkeypatch.setenv("ISSUER", "https://other.example")

    assert Settings().issuer == "http://localhost:8000"


def test_every_value_can_come_from_a_secret_file(tmp_path):
    secret = tmp_path / "database_url"
    secret.write_text("postgresql://idp:hunter2@db/idp\n")

    settings = load_settings(environ={"IDP_DATABASE_URL_FILE": str(secret)})

    assert settings.database.url == "postgresql://idp:hunter2@db/idp"


def test_a_field_that_ends_in_file_is_not_taken_for_a_secret_file(tmp_path):
    settings = load_settings(environ={"IDP_HTTP_CA_FILE": str(tmp_path / "not-there.pem")})

    assert settings.http.ca_file == tmp_path / "not-there.pem"


def test_lists_are_written_with_commas_or_as_json():
    for text in ("a.test, B.test", '["a.test", "b.test"]'):
        settings = load_settings(environ={"IDP_HTTP_ALLOWED_PRIVATE_HOSTS": text})
        assert settings.http.allowed_private_hosts == ("a.test", "b.test")


def test_an_empty_variable_counts_as_not_set():
    settings = load_settings(environ={"IDP_REDIS_URL": "", "IDP_ISSUER": "", "IDP_REDIS_URL_FILE": ""})

    assert settings.redis.url is None


def test_names_of_the_test_suite_and_of_other_programs_are_allowed():
    load_settings(environ={"IDP_TEST_POSTGRESQL_URL": "x", "PATH": "/bin", "MY_IDP_THING": "y"})


def test_an_unknown_name_in_the_environment_stops_the_start():
    (line,) = problems(IDP_TOKENS_ACESS_TOKEN_LIFETIME="5m")

    assert line.startswith("IDP_TOKENS_ACESS_TOKEN_LIFETIME: unknown")
    assert line.endswith("did you mean IDP_TOKENS_ACCESS_TOKEN_LIFETIME?")


def test_unknown_keys_in_the_file_stop_the_start(config):
    path = config("isuer = 1\n[token]\nx = 1\n[server]\nworker = 2\n")

    assert problems(path) == (
        f"{path}: server.worker: unknown key; did you mean workers?",
        f"{path}: isuer: unknown section or key; did you mean issuer?",
        f"{path}: token: unknown section or key; did you mean tokens?",
    )


def test_all_problems_are_told_at_once_without_their_values(config):
    """X10: a wrong value may be a secret, so no message repeats it."""
    path = config('[tokens]\naccess_token_lifetime = "canary-1"\n')

    lines = problems(
        path,
        IDP_DATABASE_URL="mysql://u:canary-2@h/d",
        IDP_REDIS_URL="redis://u:canary-3/x@h",
        IDP_SERVER_WORKERS="canary-4",
        IDP_LOG_FORMAT="canary-5",
        IDP_ISSUER="http://canary-6",
    )

    assert "canary" not in "\n".join(lines)
    assert sorted(line.split(": ")[0] for line in lines) == sorted(
        [str(path), "IDP_DATABASE_URL", "IDP_REDIS_URL", "IDP_SERVER_WORKERS", "IDP_LOG_FORMAT", "IDP_ISSUER"]
    )


def test_settings_that_contradict_each_other_stop_the_start(config):
    (line,) = problems(IDP_SESSIONS_IDLE_LIFETIME="20d", IDP_SESSIONS_ABSOLUTE_LIFETIME="1d")

    assert line == "sessions: idle_lifetime must not exceed absolute_lifetime"


def test_sign_ins_must_leave_threads_for_other_requests():
    """L8: those that hash and those that wait hold threads; some stay free."""
    (problem,) = problems(IDP_SERVER_BLOCKING_THREADS="24")
    assert "server.blocking_threads must be at least 25" in problem
    assert load_settings(environ={"IDP_SERVER_BLOCKING_THREADS": "25"}).passwords.max_waiting_hashes == 20
    fewer = {"IDP_SERVER_BLOCKING_THREADS": "8", "IDP_PASSWORDS_MAX_WAITING_HASHES": "3"}
    assert load_settings(environ=fewer).server.blocking_threads == 8


def test_a_value_and_its_secret_file_at_once_are_refused(tmp_path):
    (line,) = problems(IDP_REDIS_URL="redis://h", IDP_REDIS_URL_FILE=str(tmp_path / "url"))

    assert line == "IDP_REDIS_URL_FILE: IDP_REDIS_URL is set too; keep one of them"


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"x" * 70_000])
def test_a_secret_file_that_cannot_be_read_stops_the_start(tmp_path, content):
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)

    (line,) = problems(IDP_REDIS_URL_FILE=str(path))

    assert line.startswith(f"IDP_REDIS_URL_FILE: {path} ")


def test_a_file_that_was_named_must_exist(tmp_path):
    (line,) = problems(IDP_CONFIG=str(tmp_path / "missing.toml"))

    assert line == f"{tmp_path}/missing.toml: cannot be read: No such file or directory"


@pytest.mark.parametrize("text", ["[tokens\n", "a = 1\na = 2\n"])
def test_a_file_that_is_not_toml_stops_the_start(config, text):
    (line,) = problems(config(text))

    assert "is not valid TOML" in line


def test_a_section_must_be_a_section(config):
    path = config("tokens = 3\n")

    assert problems(path) == (f"{path}: tokens: must be a section: [tokens]",)
    assert problems(path, IDP_TOKENS_ID_TOKEN_LIFETIME="5m") == (
        f"{path}: tokens: must be a section: [tokens]",
    )


def test_settings_are_frozen():
    settings = Settings()

    with pytest.raises(ValueError, match="frozen"):
        settings.issuer = "https://other.example"
    with pytest.raises(ValueError, match="frozen"):
        settings.tokens.access_token_lifetime = timedelta(days=1)
