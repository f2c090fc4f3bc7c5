"""``idp account invite``, ``idp account reset`` and ``idp breach-list``."""

from idp.authenticators import Breaches
from idp.http import HttpClient
from idp.settings import BreachSettings, HttpSettings


def test_an_invitation_is_printed_where_no_mail_can_be_sent(idp):
    """V10: the operator passes the link on."""
    made = idp("account", "invite", "--email", "Grace@EXAMPLE.org")

    assert made["email"] == "Grace@example.org"
    assert made["mailed"] is False
    assert made["link"].startswith("http://localhost:8000/invitation/idp_ol_")


def test_an_invitation_for_somebody_with_an_account_is_refused(idp, invoke):
    """V7: said in words, with a status for scripts."""
    idp("account", "create", "--username", "ada", "--email", "ada@example.org")

    result = invoke("account", "invite", "--email", "ADA@example.org")

    assert result.exit_code != 0
    assert "already" in str(result.exception)


def test_a_reset_says_when_nothing_can_be_sent(idp, invoke):
    """V10: nothing is swallowed, and the account stays as it is."""
    idp("account", "create", "--username", "ada", "--email", "ada@example.org")

    result = invoke("account", "reset", "ada")

    assert result.exit_code != 0
    assert "transport" in str(result.exception)


def test_a_reset_by_mail_shows_the_operator_no_link(idp, environment, tmp_path):
    """V10."""
    environment["IDP_MAIL_TRANSPORT"] = "folder"
    environment["IDP_MAIL_FOLDER"] = str(tmp_path / "mail")
    idp("account", "create", "--username", "ada", "--email", "ada@example.org")

    said = idp("account", "reset", "ada")

    assert said["channel"] == "mail"
    assert said["to"] == "ada@example.org"
    assert "link" not in said


def test_a_list_of_breached_passwords_is_made(invoke, tmp_path):
    """P5: plain or as SHA-1, with or without counts; Windows line ends too."""
    source, target = tmp_path / "passwords.txt", tmp_path / "passwords.bloom"
    source.write_bytes(b"correct horse battery staple\r\n5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:42\n")

    result = invoke("breach-list", str(source), str(target))

    assert result.exit_code == 0, result.output
    breaches = Breaches(BreachSettings(bloom_file=target), HttpClient(HttpSettings()))
    assert breaches.is_listed("correct horse battery staple")
    assert breaches.is_listed("password")
    assert not breaches.is_listed("another horse, other staples")


def test_an_error_rate_that_is_none_is_refused(invoke, tmp_path):
    """Bad input."""
    source = tmp_path / "passwords.txt"
    source.write_text("password\n")

    for rate in ("0", "1", "-1", "nan"):
        result = invoke("breach-list", str(source), str(tmp_path / "out"), f"--error-rate={rate}")
        assert result.exit_code != 0, rate
