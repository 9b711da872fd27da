"""Why a request is not answered as it was asked."""

from __future__ import annotations

from collections.abc import Mapping


class Problem(Exception):
    """An HTTP status, what is the matter in a sentence that quotes nothing of what was sent, and headers."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
