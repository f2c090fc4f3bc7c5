"""How sure a client wants to be about the person.

Said by a request (``acr_values``, the ``claims`` parameter) and by the client's registration. A session
of a higher level meets a lower demand.
"""

from idp.assurance import level_of
from idp.clients import RegisteredClient
from idp.oauth.authorization.request import AuthorizationRequest
from idp.oauth.authorization.steps import Demand


def demand_of(request: AuthorizationRequest, client: RegisteredClient) -> Demand:
    """The demand of a request, by the client's registration as it is now.

    Source: OpenID Connect Core §5.5.1.1 (an essential ``acr`` has to be met), §3.1.2.1 (``acr_values``
    is a wish); RFC 9470 §5.
    """
    essential = min((level_of(acr) for acr in request.demanded_acrs), default=0)
    registered = 0 if client.minimum_acr is None else level_of(client.minimum_acr)
    minimum = max(essential, registered)
    return Demand(level=max(request.wished_level, minimum), minimum=minimum)


def reported_acr(reached: str, demanded: tuple[str, ...]) -> str:
    """The ``acr`` that tokens state.

    What was reached; unless the request insists on others, of which it gets the highest that this
    meets: the value then has to be one of those, and to reach a level is to reach those below it.

    Source: OpenID Connect Core §5.5.1.1 ("MUST return an acr Claim Value that matches one of the
    requested values").
    """
    met = [acr for acr in demanded if level_of(acr) <= level_of(reached)]
    return max(met, key=level_of, default=reached)
