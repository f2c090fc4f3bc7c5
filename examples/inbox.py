"""The inbox of the demonstration: shows the mails and SMS that the identity provider wrote to two folders.

Part of the demonstration only: whoever can open it can read everybody's mail.
"""

import email
import email.policy
import os
import re
from pathlib import Path

from flask import Flask, abort, render_template_string, request
from markupsafe import Markup, escape

ISSUER = os.environ.get("ISSUER", "http://localhost:8000")
PORT = int(os.environ.get("PORT", "9002"))
FOLDERS = {
    "mail": (Path(os.environ.get("MAIL_FOLDER", "var/demo/mail")), ".eml"),
    "sms": (Path(os.environ.get("SMS_FOLDER", "var/demo/sms")), ".txt"),
}
MOST = 50

app = Flask(__name__)

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Inbox</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
{% if not message %}<meta http-equiv="refresh" content="5">{% endif %}
<style>
:root { color-scheme: light dark; --line: #8884; --accent: #2f5bea }
body { font: 16px/1.6 system-ui, sans-serif; max-width: 44rem; margin: 8vh auto; padding: 0 1.25rem }
h1 { letter-spacing: -.02em }
ol { list-style: none; margin: 1.5rem 0; padding: 0 }
li { border-bottom: 1px solid var(--line) }
li a { display: block; padding: .7rem 0; color: inherit; text-decoration: none }
small { opacity: .75 }
pre, iframe { border: 1px solid var(--line); border-radius: .6rem }
pre { padding: 1rem; white-space: pre-wrap; overflow-wrap: anywhere; font: inherit }
iframe { width: 100%; height: 34rem; background: #fff }
</style>
{% if message %}
<p><a href="/" id="back">All messages</a></p>
<h1>{{ message.subject }}</h1>
<p><small>To {{ message.to }}</small></p>
<pre id="text">{{ message.text }}</pre>
{% if message.html %}
<h2>The same as HTML</h2>
<iframe id="html" title="The mail as HTML" sandbox srcdoc="{{ message.html }}"></iframe>
{% endif %}
{% else %}
<h1>Inbox</h1>
<p>Every mail and SMS of the demonstration, newest first.</p>
<ol id="messages">
{% for message in messages %}
<li><a href="/{{ message.kind }}/{{ message.name }}">{{ message.subject }}<br>
  <small>To {{ message.to }}</small></a></li>
{% else %}
<li>Nothing yet. Register, or ask for a new password.</li>
{% endfor %}
</ol>
{% endif %}
"""


@app.before_request
def only_at_this_address():
    """Another site must not read it by pointing a name of its own to this machine."""
    if request.host not in {f"localhost:{PORT}", f"127.0.0.1:{PORT}"}:
        abort(400)


@app.after_request
def nothing_from_outside(response):
    """Mails are other people's text: whatever gets through the escaping can do nothing."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
    response.headers["Content-Security-Policy"] = policy
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response


@app.get("/")
def inbox():
    """All messages, newest first."""
    paths = [path for folder, ending in FOLDERS.values() for path in folder.glob(f"[!.]*{ending}")]
    newest = sorted(paths, key=lambda path: path.name, reverse=True)[:MOST]
    return render_template_string(PAGE, message=None, messages=[read(path) for path in newest])


@app.get("/<any(mail, sms):kind>/<name>")
def show(kind, name):
    """One message."""
    folder, ending = FOLDERS[kind]
    path = folder / name
    if not re.fullmatch(r"[0-9T.\-]+\.(?:eml|txt)", name) or path.suffix != ending or not path.is_file():
        abort(404)
    return render_template_string(PAGE, message=read(path))


def read(path):
    """A message as the page shows it."""
    if path.suffix == ".txt":
        head, _, text = path.read_text(encoding="utf-8").partition("\n\n")
        return {
            "kind": "sms",
            "name": path.name,
            "to": head.removeprefix("To: "),
            "subject": f"SMS: {text.strip()}",
            "text": with_links(text.strip()),
            "html": "",
        }
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    return {
        "kind": "mail",
        "name": path.name,
        "to": mail["To"],
        "subject": mail["Subject"],
        "text": with_links(plain.get_content() if plain else ""),
        "html": html.get_content() if html else "",
    }


def with_links(text):
    """The text as HTML; what leads to the identity provider can be clicked."""
    words = re.split(rf"({re.escape(ISSUER)}/[^\s<>\"']+)", text)
    linked = [
        Markup('<a href="{0}">{0}</a>').format(word) if position % 2 else escape(word)
        for position, word in enumerate(words)
    ]
    return Markup("").join(linked)


if __name__ == "__main__":
    app.run("localhost", PORT, threaded=True)
