"""What another provider's word is worth, and what a first sign-in leads to (rows M8, V8)."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from idp.accounts import Account
from idp.federation import Provider, ProviderKind, UpstreamIdentity
from idp.login import Achieved, Enrolled, Factor, First, Required, Stage, assurance_of, next_step, proofs_of
from idp.login.federated_policy import (
    Missing,
    acr_values_for,
    first_step,
    missing,
    proof_of,
    vouched_address,
)
from idp.sessions import ACR_PHISHING_RESISTANT, ACR_SINGLE_FACTOR, ACR_TWO_FACTORS, BrowserSession

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NOTHING = Missing(claims=(), terms=False)


def provider(**members: Any) -> Provider:
    made = Provider(
        id="acme",
        preset="oidc",
        kind=ProviderKind.OIDC,
        name="Acme",
        client_id="ours",
        created_at=NOW,
        updated_at=NOW,
    )
    return replace(made, **members)


def identity(**members: Any) -> UpstreamIdentity:
    made = UpstreamIdentity(
        provider_id="acme",
        issuer="https://acme.example",
        subject="one",
        claims={},
        email="ada@acme.example",
        email_verified=True,
        groups=(),
        auth_time=None,
        acr=None,
        amr=(),
        upstream_sid=None,
        id_token=None,
        tokens=None,
    )
    return replace(made, **members)


def account(email: str | None = "ada@acme.example", *, verified: bool = True) -> Account:
    return Account(
        id="acc_1",
        username="ada",
        email=email,
        email_verified=verified,
        claims={},
        disabled_at=None,
        not_before=None,
        created_at=NOW,
        updated_at=NOW,
    )


def session(acr: str, *amr: str) -> BrowserSession:
    return BrowserSession(
        id="ses_1",
        account_id="acc_1",
        logins=1,
        auth_time=NOW,
        acr=acr,
        amr=amr,
        created_at=NOW,
        last_seen_at=NOW,
        expires_at=NOW,
        idle_expires_at=NOW,
        user_agent="",
        address="",
    )


def test_the_word_of_a_provider_is_one_factor():
    """M8: whatever it says of itself, until it is trusted."""
    proof = proof_of(provider(), identity(amr=("mfa",), acr="strong"), NOW)

    assert proof == Achieved(Factor.FEDERATED, NOW)
    assert assurance_of([proof]) == (ACR_SINGLE_FACTOR, ("fed",))


@pytest.mark.parametrize("amr", [("mfa",), ("pwd", "otp"), ("hwk", "pin"), ("swk", "user")])
def test_two_factors_there_are_two_here_if_it_is_trusted(amr):
    """M8, RFC 8176 §2."""
    proof = proof_of(provider(trust_assurance=True), identity(amr=amr), NOW)

    assurance = assurance_of([proof])
    assert assurance.acr == ACR_TWO_FACTORS
    assert set(assurance.amr) == {"fed", "mfa", *amr}


@pytest.mark.parametrize("amr", [("pwd",), ("otp",), ("sms",), ("hwk",), (), ("pwd", "pin")])
def test_one_factor_there_is_one_here(amr):
    """M8: and nothing that it names passes for a second step."""
    proof = proof_of(provider(trust_assurance=True), identity(amr=amr), NOW)

    assurance = assurance_of([proof])
    assert assurance.acr == ACR_SINGLE_FACTOR
    assert not {"mfa", "otp", "sms"} & set(assurance.amr)


def test_a_mapped_acr_counts_two_at_most():
    """M8: what protects against phishing has been seen by nobody here."""
    trusted = provider(trust_assurance=True, acr_map={"theirs": ACR_PHISHING_RESISTANT})

    assert assurance_of([proof_of(trusted, identity(acr="theirs"), NOW)]).acr == ACR_TWO_FACTORS
    assert acr_values_for(trusted, 2) == ("theirs",)
    assert acr_values_for(trusted, 1) == acr_values_for(provider(), 2) == ()


def test_the_own_second_step_is_owed():
    """M8: and no password is asked for in its place."""
    has = Enrolled(password=True, totp=True, identities=1)

    step = next_step(enrolled=has, achieved={Factor.FEDERATED}, required=Required(), trusted_device=False)
    strong = next_step(
        enrolled=has, achieved={Factor.FEDERATED_STRONG}, required=Required(), trusted_device=False
    )

    assert (step.stage, step.methods) == (Stage.ASK, (Factor.TOTP,))
    assert strong.stage is Stage.DONE


def test_a_code_beside_it_is_two_factors():
    proofs = [Achieved(Factor.FEDERATED, NOW), Achieved(Factor.TOTP, NOW)]

    assert assurance_of(proofs) == (ACR_TWO_FACTORS, ("fed", "mfa", "otp"))


@pytest.mark.parametrize(
    ("acr", "amr", "factors"),
    [
        (ACR_SINGLE_FACTOR, ("fed",), [Factor.FEDERATED]),
        (ACR_SINGLE_FACTOR, ("fed", "pwd"), [Factor.FEDERATED]),
        (ACR_TWO_FACTORS, ("fed", "mfa", "otp"), [Factor.FEDERATED_STRONG]),
        (ACR_PHISHING_RESISTANT, ("fed", "mfa", "pop", "user"), []),
    ],
)
def test_a_session_goes_on_from_what_it_stands_on(acr, amr, factors):
    """The other provider's password is none of ours."""
    assert [proof.factor for proof in proofs_of(session(acr, *amr))] == factors


@pytest.mark.parametrize(
    ("domains", "email", "verified", "vouched"),
    [
        (("acme.example",), "ada@acme.example", True, "ada@acme.example"),
        (("acme.example",), "Ada@ACME.example", True, "Ada@acme.example"),
        (("*",), "ada@any.example", True, "ada@any.example"),
        (("acme.example",), "ada@sub.acme.example", True, None),
        (("acme.example",), "ada@acme.example", False, None),
        (("acme.example",), "ada@acme.example.evil.example", True, None),
        ((), "ada@acme.example", True, None),
        (("*",), "no address", True, None),
        (("*",), None, True, None),
    ],
)
def test_which_addresses_it_may_vouch_for(domains, email, verified, vouched):
    """V8."""
    trusting = provider(trusted_email_domains=domains)

    assert vouched_address(trusting, identity(email=email, email_verified=verified)) == vouched


@pytest.mark.parametrize(
    ("creates", "owner", "lacks", "first"),
    [
        ("automatic", None, NOTHING, First.CREATE),
        ("automatic", None, Missing(claims=("name",), terms=False), First.ASK),
        ("automatic", None, Missing(claims=(), terms=True), First.ASK),
        ("ask", None, NOTHING, First.ASK),
        ("never", None, NOTHING, First.NEVER),
        ("never", account(), NOTHING, First.KNOWN),
        ("automatic", account(), NOTHING, First.KNOWN),
        ("automatic", account(verified=False), NOTHING, First.TAKEN),
        ("automatic", account("other@acme.example"), NOTHING, First.TAKEN),
        ("automatic", account(None), NOTHING, First.TAKEN),
    ],
)
def test_what_a_first_sign_in_leads_to(creates, owner, lacks, first):
    """V8: an address that its account has not proved is linked to nobody."""
    assert first_step(provider(creates=creates), identity(), owner=owner, lacks=lacks) is first


def test_what_is_missing():
    """An address counts as said only if it may be vouched for."""
    asking = provider(required_claims=("email", "name", "given_name"))

    assert missing(asking, identity(claims={"name": "Ada"}), terms=False).claims == ("email", "given_name")
    trusting = replace(asking, trusted_email_domains=("acme.example",))
    assert missing(trusting, identity(claims={"name": " "}), terms=False).claims == ("name", "given_name")
