"""A program without a person: client credentials, then one call to the API."""

import os

import requests

ISSUER = os.environ.get("ISSUER", "http://localhost:8000")
API_URL = os.environ.get("API_URL", "http://localhost:9001")


def main():
    """Get a token and use it; prints what the API answered."""
    metadata = requests.get(f"{ISSUER}/.well-known/openid-configuration", timeout=10).json()
    token = requests.post(
        metadata["token_endpoint"],
        data={"grant_type": "client_credentials", "scope": "read:notes", "resource": API_URL},
        auth=(os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"]),
        timeout=10,
    )
    token.raise_for_status()
    answer = requests.get(
        f"{API_URL}/notes", headers={"Authorization": f"Bearer {token.json()['access_token']}"}, timeout=10
    )
    answer.raise_for_status()
    print(f"the API answered {answer.text.strip()}", flush=True)


if __name__ == "__main__":
    main()
