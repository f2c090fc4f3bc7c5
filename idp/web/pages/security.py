"""``/account/security``: what protects the account, and how to change it."""

from typing import Any, Final

from flask import Response, abort

from idp.authenticators import Channel
from idp.errors import Conflict, IdpError, Invalid, NotFound, Refused, Unavailable
from idp.login import Factor
from idp.selfservice import NotFresh
from idp.web.context import application, container, now, source
from idp.web.pages import providers
from idp.web.pages.account_guard import account_page, signed_in, signed_in_account
from idp.web.pages.forms import form_value
from idp.web.pages.fresh import fresh_person
from idp.web.pages.generator import setup_values
from idp.web.pages.locale import gettext, language
from idp.web.pages.notice import done
from idp.web.pages.passkey_list import own_passkeys_view
from idp.web.pages.signed_in import remember
from idp.web.pages.visit import visit
from idp.web.responses import see_other

_PAGE: Final = "/account/security"
_TOTP: Final = "/account/security/totp"
_CODES: Final = "/account/security/codes"
_RECOVERY: Final = "/account/security/recovery-codes"
_DEVICES: Final = "/account/security/devices/forget"

_MOST_SHOWN: Final = 200
"""Characters of an address that are put into a form again."""


def security() -> Response:
    """Show what protects the account."""
    return security_page()


def to_security() -> Response:
    """Whoever opens the address of a form again goes to the page it is on."""
    signed_in()
    return _to(_PAGE)


def security_page(trouble: IdpError | None = None) -> Response:
    """The page, with what went wrong with one of its forms."""
    session, here = signed_in(), container()
    setup = here.selfservice.code_factors
    others = providers.offered(None)
    return _shown(
        "security/security.html",
        trouble,
        protection=here.selfservice.authenticators.protection(session.account_id, now()),
        own_passkeys=own_passkeys_view(session.account_id),
        identities=[
            (one, providers.mark_of(one.preset))
            for one in here.selfservice.identities.list_(session.account_id)
        ],
        providers=providers.views(others),
        form_targets=providers.origins(others),
        can_mail=setup.can_offer(Channel.EMAIL),
        can_sms=setup.can_offer(Channel.SMS),
    )


# The authenticator app


def totp() -> Response:
    """Show the secret that waits for an app, or how to begin."""
    return _totp_page()


def totp_post() -> Response:
    """Make a secret."""
    container().selfservice.authenticators.begin_generator(signed_in(), now())
    return _to(_TOTP)


def totp_confirm_post() -> Response:
    """Take the code that shows that an app has the secret."""
    session, authenticators = signed_in(), container().selfservice.authenticators
    try:
        authenticators.confirm_generator(session, form_value("code"), source(), now())
    except (Invalid, NotFound) as error:
        return _totp_page(error)
    has = authenticators.protection(session.account_id, now())
    return _proved(Factor.TOTP, done(_PAGE, "totp-added" if has.recovery_codes else "totp-added-codes-next"))


def _totp_page(trouble: IdpError | None = None) -> Response:
    session, authenticators = signed_in(), container().selfservice.authenticators
    setup = authenticators.generator_setup(session, now())
    if setup is None:
        session = fresh_person()
        has = authenticators.protection(session.account_id, now())
        return _shown("security/totp_begin.html", trouble, is_replacement=has.generator is not None)
    return _shown(
        "security/totp.html",
        trouble,
        **setup_values(secret=setup.secret, uri=setup.uri),
    )


def totp_remove() -> Response:
    """Ask whether to remove the app, and say what goes with it."""
    session, authenticators = fresh_person(), container().selfservice.authenticators
    has = authenticators.protection(session.account_id, now())
    if has.generator is None:
        return _to(_PAGE)
    is_last = not has.code_factors and not has.passkeys
    return _shown("security/totp_remove.html", takes_codes=is_last and has.recovery_codes > 0)


def totp_remove_post() -> Response:
    """Remove the app."""
    session = signed_in()
    try:
        removed = container().selfservice.authenticators.remove_generator(session, source(), now())
    except NotFound:
        return _to(_PAGE)  # in another tab, or by a second press
    except NotFresh:
        raise
    except Refused as error:
        return security_page(error)
    return done(_PAGE, "totp-and-codes-removed" if removed.recovery_codes else "totp-removed")


# Recovery codes


def recovery_codes() -> Response:
    """Say what recovery codes are, and offer to make some."""
    session, authenticators = fresh_person(), container().selfservice.authenticators
    has = authenticators.protection(session.account_id, now())
    return _shown("security/recovery_begin.html", left=has.recovery_codes)


def recovery_codes_post() -> Response:
    """Make a new set and show it, this once: a redirect would have to keep it somewhere."""
    codes = container().selfservice.authenticators.create_recovery_codes(signed_in(), source(), now())
    return _shown("security/recovery_codes.html", codes=codes)


# Codes by e-mail and SMS


def code_factor(channel: str) -> Response:
    """Ask where to send codes to."""
    return _code_factor_page(_channel(channel))


def code_factor_post(channel: str) -> Response:
    """Send a code there."""
    way, session = _channel(channel), signed_in()
    address = form_value("address")
    try:
        container().selfservice.code_factors.begin(
            session, way, address, locale=language(), source=source(), now=now()
        )
    except NotFresh:
        raise
    except (Invalid, Refused, Unavailable) as error:
        return _code_factor_page(way, error, address=address)
    return _to(f"{_CODES}/{way.value}/confirm")


def code_factor_confirm(channel: str) -> Response:
    """Ask for the code that was sent."""
    return _code_factor_confirm_page(_channel(channel))


def code_factor_confirm_post(channel: str) -> Response:
    """Take the code that was sent."""
    way, session = _channel(channel), signed_in()
    setup = container().selfservice.code_factors
    try:
        setup.confirm(session, way, form_value("code"), source(), now())
    except Invalid as error:
        return _code_factor_confirm_page(way, error)
    except NotFound as error:
        return _code_factor_page(way, error)
    has = container().selfservice.authenticators.protection(session.account_id, now())
    said = "code-factor-added" if has.recovery_codes else "code-factor-added-codes-next"
    return _proved(Factor(way.value), done(_PAGE, said))


def code_factor_remove(channel: str) -> Response:
    """Ask whether to send no codes there any more, and say what goes with it."""
    way, session = _channel(channel), fresh_person()
    authenticators = container().selfservice.authenticators
    has = authenticators.protection(session.account_id, now())
    factor = has.code_factor(way)
    if factor is None:
        return _to(_PAGE)
    is_last = has.generator is None and len(has.code_factors) == 1 and not has.passkeys
    return _shown("security/code_remove.html", factor=factor, takes_codes=is_last and has.recovery_codes > 0)


def code_factor_remove_post(channel: str) -> Response:
    """Send no codes there any more."""
    way, session = _channel(channel), signed_in()
    try:
        removed = container().selfservice.authenticators.remove_code_factor(session, way, source(), now())
    except NotFound:
        return _to(_PAGE)
    except NotFresh:
        raise
    except Refused as error:
        return security_page(error)
    return done(_PAGE, "code-factor-and-codes-removed" if removed.recovery_codes else "code-factor-removed")


def _code_factor_page(
    way: Channel, trouble: IdpError | None = None, *, address: str | None = None
) -> Response:
    if not container().selfservice.code_factors.can_offer(way):
        return _to(_PAGE)
    fresh_person()
    account = signed_in_account()
    if address is None:
        address = account.email if way is Channel.EMAIL else account.phone
    return _shown(
        f"security/code_{way.value}.html",
        trouble,
        channel=way.value,
        address=(address or "")[:_MOST_SHOWN],
        email=account.email,
    )


def _code_factor_confirm_page(way: Channel, trouble: IdpError | None = None) -> Response:
    address = container().selfservice.code_factors.waiting(signed_in(), way, now())
    if address is None:  # none was sent, or it was tried too often
        return _code_factor_page(way, trouble)
    return _shown("security/code_confirm.html", trouble, channel=way.value, address=address)


# Remembered devices


def forget_devices_post() -> Response:
    """Ask for the second step again in every browser."""
    container().selfservice.authenticators.forget_devices(signed_in(), source(), now())
    return done(_PAGE, "devices-forgotten")


def _shown(template: str, trouble: IdpError | None = None, **values: Any) -> Response:
    return account_page(
        template,
        section="security",
        status=200 if trouble is None else _status(trouble),
        trouble=None if trouble is None else gettext(trouble.description),
        **values,
    )


def _status(trouble: IdpError) -> int:
    if isinstance(trouble, Unavailable):
        return 503
    if isinstance(trouble, Refused) and trouble.retry_after is not None:
        return 429
    return 409 if isinstance(trouble, (Conflict, NotFound)) else 422


def _proved(factor: Factor, response: Response) -> Response:
    """Let the session count what its person has just shown by setting it up."""
    signed = container().added_proof.count(
        signed_in(), factor, device_cookie=visit().device, source=source(), now=now()
    )
    return response if signed is None else remember(signed, response)


def _channel(name: str) -> Channel:
    try:
        return Channel(name)
    except ValueError:
        abort(404)


def _to(path: str) -> Response:
    return see_other(f"{application().path_prefix}{path}")


ROUTES = (
    (_PAGE, "GET", security),
    (_TOTP, "GET", totp),
    (_TOTP, "POST", totp_post),
    (f"{_TOTP}/confirm", "GET", totp),
    (f"{_TOTP}/confirm", "POST", totp_confirm_post),
    (f"{_TOTP}/remove", "GET", totp_remove),
    (f"{_TOTP}/remove", "POST", totp_remove_post),
    (_RECOVERY, "GET", recovery_codes),
    (_RECOVERY, "POST", recovery_codes_post),
    (f"{_CODES}/<channel>", "GET", code_factor),
    (f"{_CODES}/<channel>", "POST", code_factor_post),
    (f"{_CODES}/<channel>/confirm", "GET", code_factor_confirm),
    (f"{_CODES}/<channel>/confirm", "POST", code_factor_confirm_post),
    (f"{_CODES}/<channel>/remove", "GET", code_factor_remove),
    (f"{_CODES}/<channel>/remove", "POST", code_factor_remove_post),
    (_DEVICES, "GET", to_security),
    (_DEVICES, "POST", forget_devices_post),
)
