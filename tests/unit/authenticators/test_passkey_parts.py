"""The parts of passkeys that need no ceremony: makes, settings, the relying party."""

import uuid

import pytest
from pydantic import ValidationError

from idp.authenticators import aaguids
from idp.authenticators.aaguids import make_of
from idp.authenticators.relying_party import can_have_passkeys, relying_party
from idp.settings import PasskeySettings, Settings, SettingsError


def test_every_make_has_a_name_and_a_kind():
    """The table is ours: AAGUIDs in the form in which they are compared, a name, what sort of thing it is."""
    for aaguid, make in aaguids._MAKES.items():  # noqa: SLF001 - the table itself is what is tested
        assert str(uuid.UUID(aaguid)) == aaguid
        assert make.name
        assert make.kind is not aaguids.Kind.UNKNOWN


def test_no_aaguid_names_two_makes():
    listed = [aaguid for makes in aaguids._NAMED.values() for each in makes.values() for aaguid in each]  # noqa: SLF001 - as above

    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("aaguid", ["00000000-0000-0000-0000-000000000000", "", "x"])
def test_an_unknown_make_has_no_name(aaguid):
    assert make_of(aaguid) is None


def test_the_relying_party_is_the_issuers_host():
    party = relying_party(PasskeySettings(), issuer="https://idp.example:8443/people", name="Acme")

    assert (party.rp_id, party.origins) == ("idp.example", ("https://idp.example:8443",))


@pytest.mark.parametrize(
    ("issuer", "can"),
    [
        ("https://idp.example", True),
        ("http://localhost:8000", True),
        ("http://127.0.0.1:8000", False),
        ("http://[::1]:8000", False),
    ],
)
def test_passkeys_need_a_domain(issuer, can):
    """WebAuthn Level 3 §5.1.3 step 8: an address is no effective domain."""
    party = relying_party(PasskeySettings(), issuer=issuer, name="Acme")

    assert can_have_passkeys(party) is can


def test_required_attestation_needs_somebody_to_trust():
    with pytest.raises(ValidationError, match="attestation_roots"):
        Settings(passkeys={"attestation": "required"})


@pytest.mark.parametrize(
    "content", [None, b"", b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"]
)
def test_roots_that_are_none_stop_the_start(tmp_path, content):
    path = tmp_path / "roots.pem"
    if content is not None:
        path.write_bytes(content)
    settings = PasskeySettings(attestation="required", attestation_roots=path)

    with pytest.raises(SettingsError, match="attestation_roots"):
        relying_party(settings, issuer="https://idp.example", name="Acme")
