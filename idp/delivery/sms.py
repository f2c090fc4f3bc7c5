"""SMS: by a gateway over HTTP, or for a developer's eyes."""

import base64
import json
import os
import sys
from collections.abc import Mapping
from datetime import datetime
from itertools import count
from typing import Any, Final
from urllib.parse import urlencode

from idp.clock import Clock
from idp.delivery.errors import Undeliverable
from idp.delivery.message import Message
from idp.delivery.rendering import Renderer
from idp.delivery.transports import write_file
from idp.errors import Refused, Unavailable
from idp.http import HttpClient, HttpResponse
from idp.settings import SmsSettings

_LARGEST_ANSWER: Final = 65536
_OUR_FAULT: Final = frozenset({401, 403, 404, 405, 407})
"""Statuses that an operator can put right: wrong credentials or a wrong address."""
_TRY_LATER: Final = frozenset({408, 425, 429})


class SmsSender:
    """Sends SMS, one at a time.

    Args:
        settings: the section ``[sms]``.
        renderer: makes the words.
        http: the one egress.
        clock: names the files of the transport ``folder``.
    """

    def __init__(self, settings: SmsSettings, renderer: Renderer, http: HttpClient, clock: Clock) -> None:
        self._settings = settings
        self._renderer = renderer
        self._http = http
        self._clock = clock
        self._numbers = count(1)

    def text(self, template: str, locale: str, values: Mapping[str, Any]) -> str:
        """The words of an SMS from its template below ``templates/sms/``."""
        return self._renderer.sms(template, locale, values)

    def deliver(self, message: Message) -> None:
        """Send a message from the outbox.

        Raises:
            Undeliverable: it will never be taken.
            Unavailable: later it may be.
        """
        self.send(message.to, self.text(message.template, message.locale, message.values))

    def send(self, to: str, text: str) -> None:
        """Send at once; for codes that somebody is waiting for at a page. Call it outside of transactions.

        Whoever calls it has asked :meth:`idp.delivery.Outbox.admit_sms` before (row L9).

        Args:
            to: a number in E.164.
            text: what it says.

        Raises:
            Undeliverable: the gateway will never take it.
            Unavailable: there is no transport, or it does not answer; offer another way.
        """
        match self._settings.transport:
            case "none":
                raise Unavailable("SMS cannot be sent.", detail="sms.transport is none")
            case "console":
                sys.stderr.write(f"{'-' * 72}\nSMS to {to}\n\n{text}\n{'-' * 72}\n")
                sys.stderr.flush()
            case "folder":
                self._write(to, text, self._clock.now())
            case "webhook":
                body = {"to": to, "text": text, "from": self._settings.sender}
                self._post(json.dumps(body).encode(), "application/json")
            case "twilio":
                form = {"To": to, "From": self._settings.sender, "Body": text}
                self._post(urlencode(form).encode(), "application/x-www-form-urlencoded")

    def _write(self, to: str, text: str, now: datetime) -> None:
        folder = self._settings.folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable(detail=f"{folder} cannot be made: {error.strerror}") from error
        name = f"{now:%Y%m%dT%H%M%S.%f}-{next(self._numbers):06d}-{os.getpid()}.txt"
        write_file(folder, name, f"To: {to}\n\n{text}\n".encode())

    def _post(self, body: bytes, content_type: str) -> None:
        url = self._settings.url
        if url is None:
            raise Unavailable("SMS cannot be sent.", detail="sms.url is not set")
        headers = {"Content-Type": content_type, **self._authorization()}
        try:
            answer = self._http.post(
                url,
                body,
                headers=headers,
                accept="application/json",
                timeout=self._settings.timeout,
                max_bytes=_LARGEST_ANSWER,
            )
        except Refused as error:  # the egress: our own address of the gateway breaks its rules
            raise Unavailable("SMS cannot be sent.", detail=f"sms.url: {error.description}") from error
        _assert_taken(answer)

    def _authorization(self) -> dict[str, str]:
        if self._settings.token_file is None:
            return {}
        try:
            token = self._settings.token_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise Unavailable(
                "SMS cannot be sent.", detail=f"sms.token_file cannot be read: {error.strerror}"
            ) from error
        if self._settings.username is None:
            return {"Authorization": f"Bearer {token}"}
        pair = base64.b64encode(f"{self._settings.username}:{token}".encode()).decode("ascii")
        return {"Authorization": f"Basic {pair}"}


def _assert_taken(answer: HttpResponse) -> None:
    """The gateway's status; its text is not repeated, because it may name the number."""
    status = answer.status
    if 200 <= status < 300:  # noqa: PLR2004 - success (RFC 9110 §15.3)
        return
    detail = f"the SMS gateway answers {status}"
    if status in _OUR_FAULT or status in _TRY_LATER or status >= 500:  # noqa: PLR2004 - RFC 9110 §15.6
        raise Unavailable("SMS cannot be sent right now.", detail=detail)
    raise Undeliverable("The SMS cannot be sent.", detail=detail)
