"""What is shown of the settings, and the reference page."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from idp.settings import Settings, describe, load_settings, reference_markdown
from idp.settings.names import fields

ROOT = Path(__file__).resolve().parents[3]


def test_every_field_is_documented():
    assert [field.key for field in fields() if not (field.info.description or "").strip()] == []


def test_no_two_settings_share_a_name_in_the_environment():
    variables = [field.variable for field in fields()]

    assert len(set(variables)) == len(variables)
    assert not {f"{name}_FILE" for name in variables} & set(variables)


def test_the_reference_page_is_current():
    """Write it anew with: idp check-config --reference > docs/configuration.md."""
    assert (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8") == reference_markdown()


def test_the_reference_page_can_be_printed():
    command = [sys.executable, "-m", "idp", "check-config", "--reference"]

    printed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, encoding="utf-8")

    assert printed.stdout == reference_markdown()
    assert not printed.stderr


def test_the_reference_names_every_setting_once():
    page = reference_markdown()

    for field in fields():
        assert page.count(f"\n### `{field.key}`\n") == 1
        assert f"`{field.variable}`" in page


def test_the_description_is_json_and_reads_back():
    settings = Settings(issuer="https://idp.example.com", server={"workers": 4})

    described = json.loads(json.dumps(describe(settings)))

    assert described["tokens"]["access_token_lifetime"] == "5m"
    assert Settings(**described) == settings


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://idp:canary@db/idp",
        "postgresql://idp:canary@can@db/idp",
        "postgresql://:canary@db/idp",
        "postgresql://db/idp?user=idp&password=canary&sslmode=require",
    ],
)
def test_passwords_in_urls_are_shown_nowhere(url):
    """X10: no secret in descriptions, representations or error texts."""
    settings = load_settings(environ={"IDP_DATABASE_URL": url, "IDP_REDIS_URL": "redis://:canary@h/0"})

    shown = json.dumps(describe(settings)) + repr(settings) + str(settings)

    assert "canary" in settings.database.url
    assert "canary" not in shown
    assert "db/idp" in shown
