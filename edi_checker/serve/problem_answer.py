"""A problem as an answer: the same words for programs (RFC 9457) and on a page."""

from __future__ import annotations

import json
from http import HTTPStatus

from starlette.responses import Response

from edi_checker.serve.media import HTML, PROBLEM
from edi_checker.serve.pages import write_problem
from edi_checker.serve.problem import Problem

# What stands over the reason on a page: nobody who bills claims knows what an Unprocessable Entity is.
_HEADINGS = {
    401: "A password is needed",
    404: "There is no such page",
    413: "The file is too large",
    500: "Something went wrong here",
    503: "The server is busy",
    504: "It took too long",
}
_HEADING = "That could not be done"


def respond(problem: Problem, request_id: str, path: str) -> Response:
    """The answer that says so, for programs or for people, by the path that was asked for."""
    if not path.startswith(("/v1", "/healthz", "/metrics", "/openapi")):
        heading = _HEADINGS.get(problem.status, _HEADING)
        page, policy = write_problem(heading, problem.detail, request_id, path)
        headers = {**problem.headers, "content-security-policy": policy}
        return Response(page, problem.status, headers, HTML)
    said = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "request": request_id,
    }
    return Response(json.dumps(said) + "\n", problem.status, problem.headers, PROBLEM)
