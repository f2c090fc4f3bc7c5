"""An OAuth 2.0 authorization server and OpenID Connect provider.

The house has six floors; a room imports only from floors below its own, and rooms on one
floor never import each other (``docs/architecture.md``)::

    floor 5  entrances    app.py  container/  web/  cli/  jobs/
    floor 4  flows        oauth/  login/  selfservice/  admin/
    floor 3  nouns        accounts/ authenticators/ sessions/ clients/ resources/ consents/ tokens/
    floor 2  services     keys/  ratelimit/  audit/  delivery/  onetime/
    floor 1  storage      storage/
    floor 0  ground       settings/ crypto/ observability/ clock.py ids.py errors.py http.py
                          assurance.py languages.py user_agents.py shipped.py
"""

__version__ = "0.1.0"
