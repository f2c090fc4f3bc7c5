"""An API that accepts access tokens and verifies them by the published keys alone."""

import os
import time

import requests
from authlib.integrations.flask_oauth2 import ResourceProtector, current_token
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from flask import Flask, jsonify
from joserfc.jwk import KeySet

ISSUER = os.environ.get("ISSUER", "http://localhost:8000")
API_URL = os.environ.get("API_URL", "http://localhost:9001")
PORT = int(os.environ.get("PORT", "9001"))
KEYS_LIVE_SECONDS = 60


class Validator(JWTBearerTokenValidator):
    """Checks signature, issuer, audience and expiry (RFC 9068)."""

    _keys: KeySet | None = None
    _fetched = 0.0

    def get_jwks(self):
        """The provider's keys, kept for as long as it allows."""
        if self._keys is None or time.monotonic() - self._fetched > KEYS_LIVE_SECONDS:
            metadata = requests.get(f"{ISSUER}/.well-known/openid-configuration", timeout=5).json()
            Validator._keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"], timeout=5).json())
            Validator._fetched = time.monotonic()
        return self._keys


app = Flask(__name__)
require_oauth = ResourceProtector()
require_oauth.register_token_validator(Validator(issuer=ISSUER, resource_server=API_URL))


@app.get("/notes")
@require_oauth("read:notes")
def notes():
    """Notes of whoever the token speaks for."""
    owner, client = current_token["sub"], current_token["client_id"]
    return jsonify(owner=owner, client=client, notes=["Buy milk", "Rotate keys"])


DIARY_ACR_VALUES = ("urn:idp:loa:2", "urn:idp:loa:3")
DIARY_MAX_AGE_SECONDS = 600


def sign_in_is_enough(token):
    """Whether the person proved who they are by two factors, and lately."""
    age = time.time() - token.get("auth_time", 0)
    return token.get("acr") in DIARY_ACR_VALUES and age <= DIARY_MAX_AGE_SECONDS


@app.get("/diary")
@require_oauth("read:notes")
def diary():
    """What is worth a second look: the token says how, and when, its person signed in (RFC 9470)."""
    if sign_in_is_enough(current_token):
        return jsonify(owner=current_token["sub"], diary=["Dear diary, nobody but me reads this."])
    challenge = {
        "error": "insufficient_user_authentication",
        "error_description": "The diary opens to those who signed in with two factors within ten minutes",
        "acr_values": " ".join(DIARY_ACR_VALUES),
        "max_age": str(DIARY_MAX_AGE_SECONDS),
    }
    header = "Bearer " + ", ".join(f'{name}="{value}"' for name, value in challenge.items())
    return jsonify(error=challenge["error"]), 401, {"WWW-Authenticate": header}


if __name__ == "__main__":
    app.run("localhost", PORT, threaded=True)
