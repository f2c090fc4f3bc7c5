"""Put the web room together: blueprints, health, error handlers."""

from flask import Flask

from idp.container import Container
from idp.settings import Settings
from idp.web.application import Application
from idp.web.context import EXTENSION
from idp.web.error_handlers import register_error_handlers
from idp.web.health import register_health
from idp.web.pages import Crowd, assets, may_answer_at_once, pages, prepare_assets, prepare_translations
from idp.web.protocol import add_protocol


def make_application(settings: Settings) -> Application:
    """The empty application, ready for extensions; :func:`mount` gives it its pages."""
    return Application(settings)


def mount(app: Flask, container: Container) -> None:
    """Make ``app`` serve everything in ``container``; called once by ``create_app``.

    Raises:
        TypeError: ``app`` was not made by :func:`make_application`.
    """
    if not isinstance(app, Application):
        raise TypeError("mount() needs an application made by make_application()")
    app.extensions[EXTENSION] = container
    prepare_assets(app, container.settings)
    prepare_translations(app, container.settings)
    add_protocol(app, container)
    app.turn_away = Crowd(app, container, app.edge)
    app.register_blueprint(pages, url_prefix=app.path_prefix or None)
    app.register_blueprint(assets, url_prefix=app.path_prefix or None)
    if container.settings.database.dialect == "postgresql":  # to read a file is no wait
        app.waiting["GET", f"{app.path_prefix}/authorize"] = may_answer_at_once
    register_health(app, path_prefix=app.path_prefix)
    register_error_handlers(app)
