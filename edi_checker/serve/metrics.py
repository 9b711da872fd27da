"""What the server counts, as Prometheus reads it: addresses, statuses, times and sizes alone."""

from __future__ import annotations

from edi_checker.serve.guard import Counts
from edi_checker.serve.pool import Pool

_ABOUT = (
    ("requests_total", "counter", "Requests by address and status since the start."),
    ("request_seconds_total", "counter", "Seconds that they took, by address."),
    ("request_bytes_total", "counter", "Bytes of bodies that were read."),
    ("requests_in_hand", "gauge", "Requests that are being read, wait, are worked on or are answered."),
    ("requests_waiting", "gauge", "Requests that wait for a worker."),
    ("workers_busy", "gauge", "Workers at work."),
    ("worker_deaths_total", "counter", "Workers that were killed for the time limit, or ended at work."),
    ("worker_renewals_total", "counter", "Workers that left because their memory had grown."),
)


def write_metrics(counts: Counts, pool: Pool) -> str:
    """The text format, version 0.0.4."""
    values: dict[str, list[tuple[str, float]]] = {
        "requests_total": [
            (f'{{address="{address}",status="{status}"}}', count)
            for (address, status), count in sorted(counts.answers.items())
        ],
        "request_seconds_total": [
            (f'{{address="{address}"}}', round(seconds, 3))
            for address, seconds in sorted(counts.seconds.items())
        ],
        "request_bytes_total": [("", counts.bodies)],
        "requests_in_hand": [("", counts.now)],
        "requests_waiting": [("", pool.waiting)],
        "workers_busy": [("", pool.busy)],
        "worker_deaths_total": [("", pool.deaths)],
        "worker_renewals_total": [("", pool.renewals)],
    }
    lines = []
    for name, kind, about in _ABOUT:
        lines += [f"# HELP edi_checker_{name} {about}", f"# TYPE edi_checker_{name} {kind}"]
        lines += [f"edi_checker_{name}{labels} {value}" for labels, value in values[name]]
    return "\n".join(lines) + "\n"
