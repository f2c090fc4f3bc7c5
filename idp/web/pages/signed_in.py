"""What a browser must keep once its person has signed in."""

from flask import Response, request

from idp.login import SignedIn
from idp.web.pages.beside import note_sign_in
from idp.web.pages.cookies import ATTEMPT, DEVICE, SESSION
from idp.web.pages.visit import is_secure


def remember(signed_in: SignedIn, response: Response) -> Response:
    """Give the browser its new session cookie; the old value is dead (row S2)."""
    secure = is_secure()
    SESSION.write(response, signed_in.session_cookie.reveal(), secure=secure)
    DEVICE.write(response, signed_in.device_cookie.reveal(), secure=secure)
    note_sign_in(signed_in.session, response)
    if ATTEMPT.read(request, secure=secure) is not None:
        ATTEMPT.clear(response, secure=secure)
    return response
