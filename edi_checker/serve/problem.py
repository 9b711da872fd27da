"""Why a request is not answered as it was asked: the same words for programs (RFC 9457) and on a page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import Response

from edi_checker.serve.media import HTML, PROBLEM


class Problem(Exception):
    """An HTTP status, what is the matter in a sentence that quotes nothing of what was sent, and headers."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})


def respond(problem: Problem, request_id: str, *, for_people: bool) -> Response:
    """The answer that says so."""
    title = HTTPStatus(problem.status).phrase
    if for_people:
        from edi_checker.serve.pages import write_problem

        page, policy = write_problem(title, problem.detail, request_id)
        headers = {**problem.headers, "content-security-policy": policy}
        return Response(page, problem.status, headers, HTML)
    said = {
        "type": "about:blank",
        "title": title,
        "status": problem.status,
        "detail": problem.detail,
        "request": request_id,
    }
    return Response(json.dumps(said) + "\n", problem.status, problem.headers, PROBLEM)
