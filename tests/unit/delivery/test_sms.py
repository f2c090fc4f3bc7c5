"""SMS leave through a gateway; a failure shows at once, so that another way can be offered."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest
from pydantic import ValidationError

from idp.delivery import Undeliverable
from idp.errors import Unavailable
from idp.http import HttpClient
from idp.settings import HttpSettings, SmsSettings
from tests.messages import read_sms

NUMBER = "+491701234567"


class _Gateway(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, dict(self.headers), body))
        if self.server.status == "silence":
            self.server.released.wait(5)
            return
        self.send_response(self.server.status)
        if self.server.status == 302:
            self.send_header("Location", "http://127.0.0.1/elsewhere")
        self.end_headers()
        self.wfile.write(b'{"message": "about +491701234567"}')


@pytest.fixture
def gateway():
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Gateway)
    server.daemon_threads = True
    server.handle_error = lambda *_: None
    server.released = threading.Event()
    server.seen, server.status = [], 200
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def make_sender(make_post, gateway, tmp_path):
    def make(transport="webhook", hosts=("127.0.0.1",), **changes):
        (tmp_path / "token").write_text("t0ken\n")
        settings = {
            "transport": transport,
            "url": f"http://127.0.0.1:{gateway.server_port}/messages",
            "sender": "Example",
            "token_file": tmp_path / "token",
            "timeout": 1,
        }
        http = HttpClient(HttpSettings(allowed_private_hosts=hosts))
        return make_post(sms=settings | changes, http=http).sms_sender

    return make


def test_a_webhook_gets_json_and_a_bearer_token(make_sender, gateway):
    make_sender().send(NUMBER, "123456 ist der Code für Ärzte")

    ((path, headers, body),) = gateway.seen
    assert path == "/messages"
    assert headers["Content-Type"] == "application/json"
    assert headers["Authorization"] == "Bearer t0ken"
    assert json.loads(body) == {"to": NUMBER, "text": "123456 ist der Code für Ärzte", "from": "Example"}


def test_twilio_gets_a_form_and_basic_authentication(make_sender, gateway):
    """As Twilio's Messages resource takes it: To, From, Body; account SID and token."""
    make_sender("twilio", username="AC123").send(NUMBER, "123456 & more")

    ((_, headers, body),) = gateway.seen
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert base64.b64decode(headers["Authorization"].removeprefix("Basic ")) == b"AC123:t0ken"
    assert parse_qs(body.decode()) == {"To": [NUMBER], "From": ["Example"], "Body": ["123456 & more"]}


@pytest.mark.parametrize("status", [401, 403, 404, 408, 429, 500, 503, 302])
def test_what_an_operator_or_time_can_put_right_may_work_later(make_sender, gateway, status):
    gateway.status = status

    with pytest.raises(Unavailable) as raised:
        make_sender().send(NUMBER, "123456")

    assert NUMBER not in raised.value.detail


@pytest.mark.parametrize("status", [400, 410, 422])
def test_a_refused_message_is_not_sent_again(make_sender, gateway, status):
    gateway.status = status

    with pytest.raises(Undeliverable) as raised:
        make_sender().send(NUMBER, "123456")

    assert str(status) in raised.value.detail
    assert NUMBER not in raised.value.detail


def test_a_gateway_that_does_not_answer_is_unavailable_in_time(make_sender, gateway):
    gateway.status = "silence"

    with pytest.raises(Unavailable):
        make_sender(timeout=0.2).send(NUMBER, "123456")


def test_a_private_gateway_has_to_be_named(make_sender, gateway):
    """Row X1: the one egress decides, and it speaks to private addresses only if an operator says which."""
    with pytest.raises(Unavailable) as raised:
        make_sender(hosts=()).send(NUMBER, "123456")

    assert "sms.url" in raised.value.detail
    assert gateway.seen == []


def test_a_token_file_that_is_gone_is_told(make_sender, gateway, tmp_path):
    sender = make_sender(token_file=tmp_path / "gone")

    with pytest.raises(Unavailable) as raised:
        sender.send(NUMBER, "123456")

    assert "sms.token_file" in raised.value.detail


def test_a_gateway_needs_an_address():
    with pytest.raises(ValidationError, match="needs url"):
        SmsSettings(transport="webhook")


def test_without_a_transport_it_says_so_at_once(make_post):
    post = make_post(sms={"transport": "none"})

    assert not post.outbox.can_sms
    with pytest.raises(Unavailable):
        post.sms_sender.send(NUMBER, "123456")


def test_messages_of_the_outbox_leave_as_sms_too(make_post, clock, tmp_path):
    post = make_post()
    with post.database.transaction():
        post.outbox.sms(
            "signup_code",
            to=NUMBER,
            locale="en",
            values={"code": "123456"},
            account_id=None,
            now=clock.now(),
        )

    assert [outcome.state for outcome in post.round()] == ["sent"]
    (sms,) = read_sms(tmp_path / "sms")
    assert (sms.to, sms.code) == (NUMBER, "123456")
