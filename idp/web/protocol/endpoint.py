"""What all protocol endpoints have in common: the outermost door, and errors as JSON."""

from idp.observability import request_id
from idp.web.edge import Edge
from idp.web.problems import Problem, noted_problem
from idp.web.wire import Answer, Endpoint, Environ, Headers, json_answer, json_headers


class Guarded:
    """An endpoint behind the edge; whatever it raises becomes an answer.

    Args:
        endpoint: answers, or raises.
        edge: looks at the request first.
        cors: headers for scripts of other origins, on errors too.
    """

    def __init__(self, endpoint: Endpoint, edge: Edge, cors: Headers) -> None:
        self._endpoint = endpoint
        self._edge = edge
        self._cors = cors

    def __call__(self, environ: Environ) -> Answer:
        """The endpoint's answer, or a problem."""
        try:
            self._edge.assert_acceptable(environ)
            return self._endpoint(environ)
        except Exception as error:  # noqa: BLE001 - the door to the outside: it logs what nobody foresaw
            return problem_answer(noted_problem(error, environ["PATH_INFO"]), self._cors)


def problem_answer(problem: Problem, cors: Headers) -> Answer:
    """A problem for a client: the form of RFC 6749 §5.2 and the request id."""
    body = {
        "error": problem.code,
        "error_description": problem.description,
        "request_id": request_id.get(),
    }
    return json_answer(problem.status, body, json_headers((*problem.headers(), *cors)))
