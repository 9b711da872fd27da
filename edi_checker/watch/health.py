"""What a watcher shows of itself: a status file and metrics, each replaced as a whole."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edi_checker.files.output import write_whole
from edi_checker.state import Counts
from edi_checker.watch.inbox import Look
from edi_checker.watch.job import Report


@dataclass(slots=True)
class Health:
    """What happened since the watcher was started; times in seconds since the epoch.

    hindered  whether the last look at the inbox left something that would be answered if it could be taken
    """

    version: str
    started: float
    events: Counter[str] = field(default_factory=Counter)
    claims: int = 0
    rejected: int = 0
    seconds: float = 0.0
    deaths: int = 0
    trouble: str = ""
    hindered: bool = False

    def note(self, report: Report) -> None:
        self.events[report.event] += 1
        self.claims += report.claims
        self.rejected += report.rejected
        self.seconds += report.seconds
        self.trouble = report.reason if report.event == "trouble" else ""


def as_json(
    health: Health,
    now: float,
    settings: Mapping[str, str],
    look: Look,
    files: tuple[int, int],
    counts: Counts | None,
) -> dict[str, Any]:
    """The status file; `settings` are digests by partner, `files` those that are ready and those at work.

    Without `counts` the ledger cannot be asked.
    """
    ready, busy = files
    return {
        "version": health.version,
        "pid": os.getpid(),
        "at": _time(now),
        "started": _time(health.started),
        "settings": dict(settings),
        "inbox": {
            "ready": ready,
            "still_written": look.waiting,
            "ignored": look.ignored,
            "left": _by_reason(look),
        },
        "at_work": busy,
        "events": dict(sorted(health.events.items())),
        "claims": health.claims,
        "claims_rejected": health.rejected,
        "worker_deaths": health.deaths,
        "trouble": health.trouble,
        "ledger": None if counts is None else _ledger(counts),
    }


def _by_reason(look: Look) -> dict[str, int]:
    """How many files are left for each reason; no names."""
    return dict(sorted(Counter(why for _, _, why in look.left).items()))


def _ledger(counts: Counts) -> dict[str, Any]:
    return {
        "states": {str(state): number for state, number in counts.states.items()},
        "oldest_waiting": _time(counts.oldest_seen),
        "lease_over": counts.expired,
        "failed_and_not_settled": counts.unsettled,
        "same_control_number_other_content": counts.other_content,
        "last_answered": _time(counts.last_answered),
    }


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


# Name, kind, what it counts.
_METRICS = (
    ("files_total", "counter", "Files by what became of them since the watcher was started."),
    ("claims_total", "counter", "Claims checked since then."),
    ("claims_rejected_total", "counter", "Claims rejected since then."),
    ("check_seconds_total", "counter", "Seconds of work on files since then."),
    ("worker_deaths_total", "counter", "Processes that ended at work since then."),
    ("up", "gauge", "1 while the ledger can be asked."),
    ("inbox_files", "gauge", "Files in the inbox: ready, still written, left."),
    ("ledger_files", "gauge", "Files in the ledger by state."),
    ("failed_unsettled", "gauge", "Failed files that nobody has settled."),
    ("leases_over", "gauge", "Files whose owner gave no sign of life."),
    ("same_number_other_content", "gauge", "Duplicates by control number alone, with other content."),
    ("oldest_waiting_timestamp_seconds", "gauge", "When the file was seen that waits longest."),
    ("last_answer_timestamp_seconds", "gauge", "When the last file was answered."),
    ("status_timestamp_seconds", "gauge", "When these figures were written."),
)


def as_metrics(health: Health, now: float, look: Look, ready: int, counts: Counts | None) -> str:
    """The same for Prometheus, as node_exporter's textfile collector reads it."""
    values: dict[str, list[tuple[str, float]]] = {
        "files_total": [(f'{{event="{event}"}}', n) for event, n in sorted(health.events.items())],
        "claims_total": [("", health.claims)],
        "claims_rejected_total": [("", health.rejected)],
        "check_seconds_total": [("", round(health.seconds, 3))],
        "worker_deaths_total": [("", health.deaths)],
        "up": [("", int(counts is not None))],
        "inbox_files": [
            ('{state="ready"}', ready),
            ('{state="still_written"}', look.waiting),
            ('{state="left"}', len(look.left)),
        ],
        "status_timestamp_seconds": [("", round(now, 3))],
    }
    if counts is not None:
        values["ledger_files"] = [(f'{{state="{state}"}}', n) for state, n in counts.states.items()]
        values["leases_over"] = [("", counts.expired)]
        values["same_number_other_content"] = [("", counts.other_content)]
        if counts.oldest_seen is not None:
            values["oldest_waiting_timestamp_seconds"] = [("", round(counts.oldest_seen, 3))]
        values["failed_unsettled"] = [("", counts.unsettled)]
        values["last_answer_timestamp_seconds"] = [("", round(counts.last_answered or 0, 3))]
    lines = []
    for name, kind, words in _METRICS:
        if values.get(name):
            lines += [f"# HELP edi_checker_{name} {words}", f"# TYPE edi_checker_{name} {kind}"]
            lines += [f"edi_checker_{name}{labels} {value}" for labels, value in values[name]]
    return "\n".join(lines) + "\n"


def write_status(path: Path, status: Mapping[str, Any]) -> None:
    """Raises OSError."""
    with write_whole(path) as out:
        out.write((json.dumps(status, indent=2) + "\n").encode())


def write_metrics(path: Path, text: str) -> None:
    """Others may read it: there is nothing in it about a person. Raises OSError."""
    with write_whole(path) as out:
        os.fchmod(out.fileno(), 0o644)
        out.write(text.encode())
