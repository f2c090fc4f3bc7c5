"""Server metadata: one document for OpenID Connect Discovery and for RFC 8414."""

from collections.abc import Iterable
from typing import Any

from idp.assurance import ACR_VALUES_SUPPORTED
from idp.clients import CONFIDENTIAL_METHODS, GRANT_TYPES
from idp.keys import SUPPORTED_ALGORITHMS
from idp.languages import available_languages
from idp.oauth.authorization.rules import PROMPTS, RESPONSE_MODES
from idp.oauth.claims import claims_supported, vocabulary
from idp.oauth.client_authentication import ALL_METHODS
from idp.settings import Settings


def metadata(settings: Settings, scopes: Iterable[str]) -> dict[str, Any]:
    """What clients need to know of us; registered member names only.

    Args:
        settings: the issuer is the prefix of every address, byte for byte.
        scopes: OpenID's and those of the resource servers
            (:meth:`idp.oauth.ScopeResolver.supported`).

    Sources: OpenID Connect Discovery §3, RFC 8414 §2, RFC 9207 §3, OpenID Connect RP-Initiated
    Logout §2.1, Initiating User Registration §2 (``prompt_values_supported``).
    """
    issuer = settings.issuer
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "jwks_uri": f"{issuer}/jwks",
        "end_session_endpoint": f"{issuer}/logout",
        "introspection_endpoint": f"{issuer}/introspect",
        "revocation_endpoint": f"{issuer}/revoke",
        "scopes_supported": list(scopes),
        "response_types_supported": ["code"],
        "response_modes_supported": list(RESPONSE_MODES),
        "grant_types_supported": list(GRANT_TYPES),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": list(ALL_METHODS),
        "revocation_endpoint_auth_methods_supported": list(ALL_METHODS),
        "introspection_endpoint_auth_methods_supported": list(CONFIDENTIAL_METHODS),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": list(SUPPORTED_ALGORITHMS),
        "claim_types_supported": ["normal"],
        "claims_supported": claims_supported(vocabulary(settings.claims.scopes)),
        "claims_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "require_request_uri_registration": False,
        "authorization_response_iss_parameter_supported": True,
        "prompt_values_supported": [
            prompt for prompt in PROMPTS if prompt != "create" or settings.registration_by
        ],
        "acr_values_supported": list(ACR_VALUES_SUPPORTED),
        "display_values_supported": ["page", "popup"],
        "ui_locales_supported": [
            name.replace("_", "-") for name in available_languages(settings.pages.default_locale)
        ],
    }
