"""X1: the one egress refuses what it must, and limits the rest."""

import datetime as dt
import gzip
import ipaddress
import ssl
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from idp.http import EgressFailed, EgressRefused, HttpClient, is_public_address, system_resolver
from idp.settings import HttpSettings, SettingsError


class Site(BaseHTTPRequestHandler):
    """Answers by path; remembers the last request's headers."""

    seen: list[dict[str, str]] = []  # noqa: RUF012 - one list for the test to look into

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.seen.append(dict(self.headers))
        name = self.path.partition("?")[0].strip("/") or "plain"
        try:
            getattr(self, f"answer_{name}")()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def send(self, body=b"hello", status=200, **headers):
        self.send_response(status)
        self.send_header("Content-Type", "Image/PNG; a=b")
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def answer_plain(self):
        self.send(self.path.encode())

    def answer_missing(self):
        self.send(status=404)

    def answer_redirect(self):
        self.send(status=302, Location="/plain")

    def answer_large(self):
        self.send(b"x" * 5000)

    def answer_endless(self):
        self.send()
        while True:
            self.wfile.write(b"x" * 65536)

    def answer_gzip(self):
        self.send(gzip.compress(b"packed"), Content_Encoding="gzip")

    def answer_bomb(self):
        self.send(gzip.compress(b"\0" * 50_000_000), Content_Encoding="gzip")

    def answer_nested(self):
        self.send(gzip.compress(gzip.compress(b"x")), Content_Encoding="gzip, gzip")

    def answer_deflate(self):
        self.send(zlib.compress(b"packed"), Content_Encoding="deflate")

    def answer_brotli(self):
        self.send(Content_Encoding="br")

    def answer_truncated(self):
        self.send(Content_Length="500")

    def answer_silent(self):
        self.server.released.wait(10)

    def answer_drip(self):
        """One byte of a header at a time: each read succeeds, the whole never does."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        while not self.server.released.wait(0.02):
            self.wfile.write(b"x")

    def answer_drip_body(self):
        self.send()
        while not self.server.released.wait(0.02):
            self.wfile.write(b"x")

    def answer_garbage(self):
        self.wfile.write(b"\0\1\2 nonsense\r\n\r\n")

    def answer_headers(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5000 + b"\r\n")


def _serve(context=None):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.daemon_threads = True
    server.released = threading.Event()
    server.handle_error = lambda *_: None
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    return server


@pytest.fixture
def site():
    Site.seen.clear()
    server = _serve()
    yield f"http://site.test:{server.server_port}"
    server.released.set()
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A CA and a certificate for secure.test."""
    folder = tmp_path_factory.mktemp("tls")
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

    def certificate(name, key, issuer, issuer_key, *, ca):
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer or subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=365))
            .not_valid_after(now + dt.timedelta(days=36500))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        )
        return builder.sign(issuer_key, hashes.SHA256())

    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = certificate("test ca", ca_key, None, ca_key, ca=True)
    leaf = certificate("secure.test", key, ca.subject, ca_key, ca=False)
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(ca.public_bytes(pem))
    (folder / "leaf.pem").write_bytes(
        leaf.public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder


@pytest.fixture
def secure(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "leaf.pem")
    names = []
    context.sni_callback = lambda _sock, name, _context: names.append(name)
    server = _serve(context)
    server.names = names
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()


def client(*addresses, hosts=("site.test", "secure.test", "other.test"), **settings):
    """A client for which every name has the given addresses; 127.0.0.1 unless told otherwise."""
    chosen = HttpSettings(allowed_private_hosts=hosts, **settings)
    return HttpClient(chosen, resolve=lambda _host, _port: addresses or ("127.0.0.1",))


def test_a_fetch(site):
    response = client().get(f"{site}/plain?a=b#fragment", accept="image/*")

    assert (response.status, response.body) == (200, b"/plain?a=b")
    assert response.headers["content-type"] == "Image/PNG; a=b"
    assert Site.seen == [
        {
            "Host": site.removeprefix("http://"),
            "Accept": "image/*",
            "Accept-Encoding": "gzip",
            "User-Agent": "idp",
            "Connection": "close",
        }
    ]


def test_a_token_for_an_address_that_an_operator_named(site):
    """X1: sent along only when the caller says so, and neither the host nor the encodings can be replaced."""
    headers = {"Authorization": "Bearer t", "Host": "other.test", "Accept-Encoding": "br"}

    client().get(f"{site}/plain", accept="application/json", headers=headers)
    client().get(f"{site}/plain", accept="*/*")

    first, second = Site.seen
    assert first["Authorization"] == "Bearer t"
    assert first["Host"] == site.removeprefix("http://")
    assert first["Accept-Encoding"] == "gzip"
    assert "Authorization" not in second


def test_a_token_follows_no_redirect(site):
    """X1."""
    with pytest.raises(EgressFailed):
        client().get(f"{site}/redirect", accept="*/*", headers={"Authorization": "Bearer t"})

    assert len(Site.seen) == 1


def test_other_statuses_are_told(site):
    assert client().get(f"{site}/missing", accept="*/*").status == 404


@pytest.mark.parametrize("packed", ["gzip", "deflate"])
def test_compressed_answers_are_unpacked(site, packed):
    assert client().get(f"{site}/{packed}", accept="*/*").body == b"packed"


@pytest.mark.parametrize(
    "path",
    ["redirect", "endless", "bomb", "nested", "brotli", "truncated", "garbage", "headers", "large?over"],
)
def test_unusable_answers(site, path):
    with pytest.raises(EgressFailed):
        client(max_bytes=4096).get(f"{site}/{path}", accept="*/*")


def test_a_limit_is_exact(site):
    assert len(client().get(f"{site}/large", accept="*/*", max_bytes=5000).body) == 5000
    with pytest.raises(EgressFailed, match="larger than 4999"):
        client().get(f"{site}/large", accept="*/*", max_bytes=4999)


@pytest.mark.parametrize("path", ["silent", "drip", "drip_body"])
def test_the_time_limit_covers_the_whole_fetch(site, path):
    started = time.monotonic()

    with pytest.raises(EgressFailed):
        client(timeout=0.3).get(f"{site}/{path}", accept="*/*")

    assert time.monotonic() - started < 1.5


def test_the_time_limit_covers_name_resolution():
    released = threading.Event()

    def resolve(_host, _port):
        released.wait(10)
        return ["127.0.0.1"]

    with pytest.raises(EgressFailed, match="in time"):
        HttpClient(HttpSettings(timeout=0.2), resolve=resolve).get("https://slow.test/", accept="*/*")
    released.set()


def test_a_name_without_address():
    def resolve(_host, _port):
        raise OSError("no such host")

    with pytest.raises(EgressFailed):
        HttpClient(HttpSettings(), resolve=resolve).get("https://nowhere.test/", accept="*/*")


def test_the_next_address_is_tried_when_one_is_closed(site):
    assert client("127.0.0.2", "127.0.0.1").get(site, accept="*/*").status == 200


def test_nobody_listening():
    with pytest.raises(EgressFailed):
        client().get("http://site.test:1/", accept="*/*")


def test_tls_checks_the_name_although_the_connection_goes_to_an_address(secure, authority):
    fetch = client(ca_file=authority / "ca.pem")

    assert fetch.get(f"https://secure.test:{secure.server_port}/plain", accept="*/*").status == 200
    assert secure.names == ["secure.test"]
    with pytest.raises(EgressFailed):
        fetch.get(f"https://other.test:{secure.server_port}/plain", accept="*/*")


def test_tls_needs_a_trusted_authority(secure):
    with pytest.raises(EgressFailed):
        client().get(f"https://secure.test:{secure.server_port}/plain", accept="*/*")


def test_an_unusable_ca_file_stops_the_start(tmp_path):
    (tmp_path / "ca.pem").write_text("nonsense")
    for name in ("ca.pem", "missing.pem"):
        with pytest.raises(SettingsError, match="ca_file"):
            HttpClient(HttpSettings(ca_file=tmp_path / name))


@pytest.mark.parametrize(
    "url",
    [
        "http://public.test/",
        "ftp://site.test/",
        "file:///etc/passwd",
        "//public.test/",
        "https://",
        "https:///path",
        "https://user:password@public.test/",
        "https://user@public.test/",
        "https://public.test:0/",
        "https://public.test:99999/",
        "https://public.test\\@evil.test/",
        "https://public.test/\r\nX: y",
        "https://pub lic.test/",
        "https://exämple.test/",
        "https://[::1",
        "https://[fe80::1%25eth0]/",
        "gopher://site.test/",
        "https://public.test/" + "a" * 3000,
        "",
    ],
)
def test_urls_that_are_refused_before_any_network(url):
    def resolve(_host, _port):
        raise AssertionError("resolved")

    with pytest.raises(EgressRefused):
        HttpClient(HttpSettings(), resolve=resolve).get(url, accept="*/*")


PRIVATE = [
    "0.0.0.0",  # noqa: S104 - an address to refuse, not to bind
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.10",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::808:808",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12::1",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700::1%eth0",
    "fec0::1",
    "ff02::1",
    "not an address",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_refused(address):
    assert not is_public_address(address)
    with pytest.raises(EgressRefused):
        client(address).get("https://public.test/", accept="*/*")


def test_one_private_address_among_public_ones_is_enough():
    with pytest.raises(EgressRefused):
        client("93.184.216.34", "127.0.0.1").get("https://public.test/", accept="*/*")


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "[::1]", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "localhost."],
)
def test_spellings_of_this_machine_are_refused(host):
    with pytest.raises((EgressRefused, EgressFailed)) as caught:
        HttpClient(HttpSettings(timeout=2), resolve=system_resolver).get(f"https://{host}:9/", accept="*/*")

    assert isinstance(caught.value, EgressRefused) or "connection" not in caught.value.description


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"],
)
def test_public_addresses(address):
    assert is_public_address(address)


def test_no_address_of_a_private_network_slips_through():
    for network in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "fc00::/7",
    ):
        block = ipaddress.ip_network(network)
        assert not is_public_address(str(block[0]))
        assert not is_public_address(str(block[-1]))


def test_proxy_variables_are_not_obeyed(site, monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    assert client().get(site, accept="*/*").status == 200
