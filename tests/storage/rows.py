"""Rows with sensible values; keyword arguments change them."""

from datetime import datetime, timedelta
from typing import Any

from idp.storage import (
    AccountRow,
    AuditEntry,
    BrowserSessionRow,
    ClientRow,
    ClientSecretRow,
    ConsentRow,
    ExternalIdentityRow,
    FederatedSessionRow,
    IdentityProviderRow,
    InteractionRow,
    KnownDeviceRow,
    LoginAttemptRow,
    OneTimeRow,
    OutboxRow,
    PasskeyRow,
    ResourceServerRow,
    SigningKeyRow,
    TokenFamilyRow,
    UpstreamTokenRow,
)


def account(now: datetime, **changes: Any) -> AccountRow:
    values: dict[str, Any] = {"id": "acc_1", "username": "alice", "created_at": now, "updated_at": now}
    return AccountRow(**values | changes)


def client(now: datetime, **changes: Any) -> ClientRow:
    values: dict[str, Any] = {"client_id": "shop", "metadata_": {"client_name": "Shop"}}
    return ClientRow(**values | {"created_at": now, "updated_at": now} | changes)


def client_secret(now: datetime, **changes: Any) -> ClientSecretRow:
    values: dict[str, Any] = {"id": "sec_1", "client_id": "shop", "digest": b"d1", "created_at": now}
    return ClientSecretRow(**values | changes)


def resource_server(now: datetime, **changes: Any) -> ResourceServerRow:
    values: dict[str, Any] = {
        "identifier": "https://api.example",
        "name": "Things",
        "scopes": [["read", "See"]],
    }
    return ResourceServerRow(**values | {"created_at": now, "updated_at": now} | changes)


def consent(now: datetime, **changes: Any) -> ConsentRow:
    values: dict[str, Any] = {"account_id": "acc_1", "client_id": "shop", "scopes": ["openid"]}
    return ConsentRow(**values | {"granted_at": now, "updated_at": now} | changes)


def code(now: datetime, **changes: Any) -> OneTimeRow:
    values: dict[str, Any] = {
        "digest": b"\x00\x01\xff",
        "kind": "authorization_code",
        "binding": "shop",
        "proof": "challenge",
        "target": "https://shop.example/cb",
        "payload": {"scopes": ["openid"]},
        "created_at": now,
        "expires_at": now + timedelta(seconds=60),
    }
    return OneTimeRow(**values | changes)


def family(now: datetime, **changes: Any) -> TokenFamilyRow:
    values: dict[str, Any] = {
        "id": "fam1",
        "client_id": "shop",
        "account_id": "acc_1",
        "session_id": "ses_1",
        "grant_data": {"scopes": ["openid"]},
        "last_used_at": now,
        "created_at": now,
        "expires_at": now + timedelta(days=90),
        "idle_expires_at": now + timedelta(days=30),
    }
    return TokenFamilyRow(**values | changes)


def browser_session(now: datetime, **changes: Any) -> BrowserSessionRow:
    values: dict[str, Any] = {
        "id": "ses_1",
        "token_digest": b"cookie",
        "account_id": "acc_1",
        "created_at": now,
        "auth_time": now,
        "last_seen_at": now,
        "idle_expires_at": now + timedelta(hours=8),
        "expires_at": now + timedelta(days=30),
        "acr": "urn:idp:loa:1",
        "amr": ["pwd"],
        "user_agent": "Firefox",
        "address": "192.0.2.1",
    }
    return BrowserSessionRow(**values | changes)


def interaction(now: datetime, **changes: Any) -> InteractionRow:
    values: dict[str, Any] = {
        "uid": "int_1",
        "browser_digest": b"browser",
        "client_id": "shop",
        "request": {"scope": "openid"},
        "created_at": now,
        "expires_at": now + timedelta(hours=1),
    }
    return InteractionRow(**values | changes)


def signing_key(now: datetime, **changes: Any) -> SigningKeyRow:
    values: dict[str, Any] = {
        "kid": "k1",
        "alg": "ES256",
        "state": "next",
        "public_jwk": {"kty": "EC"},
        "sealed_private": b"sealed",
        "created_at": now,
        "published_at": now,
    }
    return SigningKeyRow(**values | changes)


def known_device(now: datetime, **changes: Any) -> KnownDeviceRow:
    values: dict[str, Any] = {"token_digest": b"device", "account_id": "acc_1", "created_at": now}
    return KnownDeviceRow(**values | {"last_seen_at": now, "expires_at": now + timedelta(days=90)} | changes)


def passkey(now: datetime, **changes: Any) -> PasskeyRow:
    values: dict[str, Any] = {
        "id": "pk_1",
        "account_id": "acc_1",
        "credential_id": b"credential",
        "public_key": b"key",
        "sign_count": 0,
        "aaguid": "00000000-0000-0000-0000-000000000000",
        "transports": ["internal"],
        "name": "A passkey",
        "backup_eligible": True,
        "backed_up": True,
        "user_verified": True,
        "attestation": "none",
        "created_at": now,
    }
    return PasskeyRow(**values | changes)


def audit_entry(now: datetime, **changes: Any) -> AuditEntry:
    values: dict[str, Any] = {
        "id": "evt_1",
        "occurred_at": now,
        "event": "session.started",
        "actor": "account:acc_1",
        "account_id": "acc_1",
        "client_id": None,
        "session_id": "ses_1",
        "address": "192.0.2.1",
        "user_agent": "Firefox",
        "request_id": "req_1",
        "detail": {"amr": ["pwd"]},
    }
    return AuditEntry(**values | changes)


def login_attempt(now: datetime, **changes: Any) -> LoginAttemptRow:
    values: dict[str, Any] = {
        "token_digest": b"attempt",
        "id": "lat_1",
        "account_id": "acc_1",
        "achieved": [],
    }
    return LoginAttemptRow(**values | {"created_at": now, "expires_at": now + timedelta(hours=1)} | changes)


def message(now: datetime, **changes: Any) -> OutboxRow:
    values: dict[str, Any] = {"id": "msg_1", "channel": "mail", "sealed_body": b"sealed", "due_at": now}
    return OutboxRow(**values | {"created_at": now, "expires_at": now + timedelta(days=1)} | changes)


def identity_provider(now: datetime, **changes: Any) -> IdentityProviderRow:
    values: dict[str, Any] = {"id": "elsewhere", "config": {"name": "Elsewhere"}, "sealed_secret": b"sealed"}
    return IdentityProviderRow(**values | {"created_at": now, "updated_at": now} | changes)


def external_identity(now: datetime, **changes: Any) -> ExternalIdentityRow:
    values: dict[str, Any] = {
        "id": "xid_1",
        "provider_id": "elsewhere",
        "issuer": "https://elsewhere.example",
        "subject": "248289761001",
        "account_id": "acc_1",
        "label": "alice@elsewhere.example",
        "profile": {"name": "Alice"},
        "created_at": now,
    }
    return ExternalIdentityRow(**values | changes)


def federated_session(now: datetime, **changes: Any) -> FederatedSessionRow:
    values: dict[str, Any] = {
        "session_id": "ses_1",
        "provider_id": "elsewhere",
        "issuer": "https://elsewhere.example",
        "subject": "248289761001",
        "upstream_sid": "there-1",
        "sealed_id_token": b"sealed",
        "created_at": now,
    }
    return FederatedSessionRow(**values | changes)


def upstream_token(now: datetime, **changes: Any) -> UpstreamTokenRow:
    values: dict[str, Any] = {"identity_id": "xid_1", "sealed_tokens": b"sealed", "scope": "openid"}
    return UpstreamTokenRow(**values | {"updated_at": now} | changes)
