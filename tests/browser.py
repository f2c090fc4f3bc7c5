"""A browser for tests: keeps cookies, follows redirects inside the provider, fills in forms."""

from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from tests.transport import Answer, Pairs, Transport

MOST_REDIRECTS = 10


@dataclass
class Form:
    """One form of a page with what is already filled in."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[dict[str, str]] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.text: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self._form: Form | None = None
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        if tag in {"script", "style"}:
            self._silent += 1
        if tag == "form":
            self._form = Form(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self._form)
        if self._form is None:
            return
        if "id" in given:
            self._form.ids.add(given["id"])
        if tag == "button" or (tag == "input" and given.get("type") == "submit"):
            self._form.buttons.append(given)
        elif tag == "input" and given.get("name"):
            if given.get("type") in {"checkbox", "radio"} and "checked" not in given:
                return
            self._form.fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style"}:
            self._silent -= 1
        if tag == "form":
            self._form = None

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.text.append(data.strip())


class Page:
    """Where the browser ended up: a page of the provider, or an address outside."""

    def __init__(self, browser: "Browser", answer: Answer, url: str) -> None:
        self.browser = browser
        self.answer = answer
        self.url = url
        self._reader = _Reader()
        if (answer.header("Content-Type") or "").startswith("text/html"):
            self._reader.feed(answer.text)

    @property
    def status(self) -> int:
        return self.answer.status

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def text(self) -> str:
        """What a person reads."""
        return " ".join(self._reader.text)

    @property
    def forms(self) -> list[Form]:
        return self._reader.forms

    @property
    def left(self) -> bool:
        """Whether the browser was sent away from the provider."""
        return not self.url.startswith(self.browser.issuer + "/") and self.url != self.browser.issuer

    def has(self, identifier: str) -> bool:
        """Whether an element with this id is on the page."""
        return any(given.get("id") == identifier for _, given in self._reader.tags)

    def elements(self, tag: str) -> list[dict[str, str]]:
        """The attributes of every element of this kind."""
        return [given for name, given in self._reader.tags if name == tag]

    def form_with(self, identifier: str) -> Form:
        """The form that holds the element with this id."""
        for form in self.forms:
            if identifier in form.ids:
                return form
        raise AssertionError(f"no form with #{identifier} on {self.url} ({self.status}): {self.text[:500]}")

    def submit(self, button: str, **values: str) -> "Page":
        """Fill in the form that holds `#button` and press it."""
        form = self.form_with(button)
        fields = {**form.fields, **values}
        for given in form.buttons:
            if given.get("id") == button and given.get("name"):
                fields[given["name"]] = given.get("value", "")
        target = urljoin(self.url, form.action or self.url)
        return self.browser.open(form.method.upper(), target, form=list(fields.items()))


class Browser:
    """One person's browser: cookies, redirects, forms. Sends what a real one would."""

    def __init__(
        self, transport: Transport, *, user_agent: str = "Mozilla/5.0 (Test) Browser/1.0", language: str = ""
    ) -> None:
        self._transport = transport
        self.issuer = transport.issuer
        self.cookies: dict[str, str] = {}
        self.set_cookies: list[str] = []
        self.trail: list[Answer] = []
        self._user_agent = user_agent
        self._language = language

    def get(self, url: str, query: Pairs | dict[str, str] | None = None, **options: Any) -> Page:
        suffix = ("&" if "?" in url else "?") + urlencode(query) if query else ""
        return self.open("GET", url + suffix, **options)

    def open(
        self,
        method: str,
        url: str,
        *,
        form: Pairs | None = None,
        site: str | None = None,
        follow: bool = True,
        headers: Pairs = (),
    ) -> Page:
        """Go to an address of the provider and follow its redirects until a page or the outside.

        `site` is the Sec-Fetch-Site a browser would send; by default a GET was typed or linked
        ("none") and a POST comes from a page of the provider ("same-origin").
        """
        url = urljoin(self.issuer + "/", url)
        self.trail = []
        for _ in range(MOST_REDIRECTS):
            answer = self._request(method, url, form, site, headers)
            self.trail.append(answer)
            if answer.status not in {301, 302, 303, 307, 308} or not follow:
                return Page(self, answer, url)
            url = urljoin(url, answer.location)
            if not url.startswith(self.issuer + "/"):
                return Page(self, answer, url)
            if answer.status not in {307, 308}:
                method, form = "GET", None
        raise AssertionError(f"too many redirects, last to {url}")

    def _request(self, method: str, url: str, form: Pairs | None, site: str | None, headers: Pairs) -> Answer:
        parts = urlsplit(url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        sent = [
            ("Host", urlsplit(self.issuer).netloc),
            ("User-Agent", self._user_agent),
            ("Accept", "text/html,application/xhtml+xml"),
            ("Sec-Fetch-Site", site or ("same-origin" if method == "POST" else "none")),
            ("Sec-Fetch-Mode", "navigate"),
            ("Sec-Fetch-Dest", "document"),
        ]
        if self._language:
            sent.append(("Accept-Language", self._language))
        if self.cookies:
            sent.append(("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items())))
        body = None
        if method == "POST":
            origin = self.issuer if site in {None, "same-origin"} else "https://elsewhere.example"
            split = urlsplit(origin)
            sent.append(("Origin", f"{split.scheme}://{split.netloc}"))
            sent.append(("Content-Type", "application/x-www-form-urlencoded"))
            body = urlencode(form or []).encode()
        given = {name.lower() for name, _ in headers}
        sent = [pair for pair in sent if pair[0].lower() not in given] + list(headers)
        answer = self._transport.send(method, path, headers=sent, body=body)
        self._keep_cookies(answer)
        return answer

    def _keep_cookies(self, answer: Answer) -> None:
        for header in answer.all_headers("Set-Cookie"):
            self.set_cookies.append(header)
            pair, *attributes = [part.strip() for part in header.split(";")]
            name, _, value = pair.partition("=")
            rules = {key.lower(): text for key, _, text in (part.partition("=") for part in attributes)}
            gone = rules.get("max-age") == "0" or (
                "expires" in rules and parsedate_to_datetime(rules["expires"]).year < 2000
            )
            if gone:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
