"""A web application that people log in to with the identity provider.

Everything protocol is Authlib's Flask client: discovery, PKCE, state, nonce, ID token.
"""

import logging
import os
import secrets
from urllib.parse import urlencode

import requests
from authlib.integrations.flask_client import OAuth, OAuthError
from flask import Flask, redirect, render_template_string, session, url_for
from joserfc.errors import JoseError

ISSUER = os.environ.get("ISSUER", "http://localhost:8000")
API_URL = os.environ.get("API_URL", "http://localhost:9001")
PORT = int(os.environ.get("PORT", "9000"))
SCOPES = "openid profile email offline_access read:notes"

app = Flask(__name__)
app.config["SECRET_KEY"] = secrets.token_hex(32)
app.config["SESSION_COOKIE_NAME"] = "notes_app"

oauth = OAuth(app)
oauth.register(
    "idp",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    server_metadata_url=f"{ISSUER}/.well-known/openid-configuration",
    client_kwargs={"scope": SCOPES, "code_challenge_method": "S256"},
)

# A browser cookie holds 4 kB; what belongs to a person stays on this side, as in any real application.
people: dict[str, dict] = {}

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Notes</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<style>
:root { color-scheme: light dark; --line: #8884; --accent: #2f5bea }
body { font: 16px/1.6 system-ui, sans-serif; max-width: 40rem; margin: 12vh auto; padding: 0 1.25rem }
h1 { letter-spacing: -.02em }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
dl { display: grid; grid-template-columns: max-content 1fr; margin: 1.5rem 0 0 }
dt, dd { margin: 0; padding: .45rem .75rem .45rem 0; border-bottom: 1px solid var(--line) }
dt { opacity: .7 }
dd { overflow-wrap: anywhere }
.button { display: inline-block; margin: 1.25rem .5rem 0 0; padding: .6rem 1.1rem; border-radius: .6rem;
  border: 1px solid var(--accent); background: var(--accent); color: #fff; text-decoration: none }
.quiet { background: none; color: inherit; border-color: var(--line) }
pre { margin: 0; padding: 1rem; border: 1px solid var(--line); border-radius: .6rem; white-space: pre-wrap }
</style>
{% if person %}
<h1>Hello, {{ person.claims.name or person.claims.preferred_username or person.claims.sub }}</h1>
<p>This is what the identity provider told this application about you.</p>
<dl id="claims">
  {% for name, value in person.claims.items() %}
  <dt>{{ name }}</dt><dd>{{ value if value is string else value | tojson }}</dd>
  {% endfor %}
</dl>
{% if answer %}<h2>The API answered</h2><pre id="api-answer">{{ answer }}</pre>{% endif %}
<a class="button" id="call-api" href="{{ url_for('call_api') }}">Call the API</a>
<a class="button quiet" id="read-diary" href="{{ url_for('read_diary') }}">Open the diary</a>
<a class="button quiet" id="log-out" href="{{ url_for('log_out') }}">Log out</a>
{% else %}
<h1>Notes</h1>
<p>A small application that leaves passwords to somebody who is good at them.</p>
{% if error %}<p role="alert" id="error">{{ error }}</p>{% endif %}
<a class="button" id="log-in" href="{{ url_for('log_in') }}">Log in with the identity provider</a>
{% endif %}"""


def page(**values):
    return render_template_string(PAGE, person=people.get(session.get("person", "")), **values)


@app.get("/")
def home():
    return page()


@app.get("/login")
def log_in():
    return oauth.idp.authorize_redirect(url_for("callback", _external=True))


@app.get("/callback")
def callback():
    try:
        token = oauth.idp.authorize_access_token()
    except (OAuthError, JoseError) as error:
        session.pop("stepping_up", None)
        return page(error=f"That did not work: {error}"), 400
    claims = {**oauth.idp.userinfo(token=token), **token["userinfo"]}
    session["person"] = secrets.token_urlsafe(16)
    people[session["person"]] = {"claims": claims, "token": token}
    return redirect(url_for("read_diary" if session.get("stepping_up") else "home"))


@app.get("/api")
def call_api():
    person = people.get(session.get("person", ""))
    if person is None:
        return redirect(url_for("home"))
    text, _ = ask_api("/notes", person)
    return page(answer=text)


@app.get("/diary")
def read_diary():
    """Something the API opens only to people who are very sure to be themselves."""
    person = people.get(session.get("person", ""))
    if person is None:
        return redirect(url_for("home"))
    text, challenge = ask_api("/diary", person)
    if challenge.get("error") != "insufficient_user_authentication":
        session.pop("stepping_up", None)
        return page(answer=text)
    if session.pop("stepping_up", False):
        # It asked already, and this is as sure as the person can make it: another round would be the same.
        return page(answer=f"{challenge['error_description']}. Set that up at {ISSUER}/account/security")
    # RFC 9470: sign in again as the API wants it, then come back here.
    session["stepping_up"] = True
    wanted = {name: challenge[name] for name in ("acr_values", "max_age") if name in challenge}
    return oauth.idp.authorize_redirect(url_for("callback", _external=True), **wanted)


def ask_api(path, person):
    """Call the API for a person: what it says, and what it challenges them to."""
    # One token has one audience (RFC 8707): ask for one that the API accepts.
    known, metadata = person["token"], oauth.idp.load_server_metadata()
    fresh = requests.post(
        metadata["token_endpoint"],
        data={"grant_type": "refresh_token", "refresh_token": known["refresh_token"], "resource": API_URL},
        auth=(oauth.idp.client_id, oauth.idp.client_secret),
        timeout=10,
    ).json()
    known["refresh_token"] = fresh.get("refresh_token", known["refresh_token"])
    bearer = {"Authorization": f"Bearer {fresh.get('access_token', '')}"}
    answer = requests.get(f"{API_URL}{path}", headers=bearer, timeout=10)
    challenge = answer.headers.get("WWW-Authenticate", "").removeprefix("Bearer ")
    return answer.text, requests.utils.parse_dict_header(challenge)


@app.get("/logout")
def log_out():
    person = people.pop(session.pop("person", ""), None)
    metadata = oauth.idp.load_server_metadata()
    parameters = {"post_logout_redirect_uri": url_for("home", _external=True)}
    if person is not None:
        parameters["id_token_hint"] = person["token"]["id_token"]
    return redirect(f"{metadata['end_session_endpoint']}?{urlencode(parameters)}")


if __name__ == "__main__":
    # The development server would log every address, and those of /callback carry codes.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app.run("localhost", PORT, threaded=True)
