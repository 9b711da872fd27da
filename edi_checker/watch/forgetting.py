"""Whether the clock can be trusted with what a watcher deletes: a wrong one would empty the ledger."""

from __future__ import annotations

_HOUR, DAY = 3600.0, 86_400.0
_SHARE = 10  # of the time that is kept; the clock may be ahead of the ledger by this part of it at the start


class Trust:
    """Nothing is deleted for a day after the clock jumped, or was far ahead of the ledger at the start:
    somebody can set it right meanwhile.

    Times are seconds: `clock` is what the clock says, `steady` what only ever moves as time does, `newest`
    the latest time in the ledger, `before` the latest that is more than a day ago: what was written under a
    wrong clock just now does not make it right. 0 for none.
    """

    def __init__(self, keep: float, newest: float, before: float, clock: float, steady: float) -> None:
        self._offset = clock - steady
        self._from = steady
        self.doubt = ""
        if before and clock - before > DAY + keep / _SHARE:
            self._from += DAY
            self.doubt = (
                f"the clock is {_hours(clock - before)} ahead of what the ledger knows of the days before: "
                "nothing is deleted from it for a day"
            )
        elif newest > clock + _HOUR:
            self.doubt = f"times in the ledger are {_hours(newest - clock)} ahead of the clock"

    def look(self, clock: float, steady: float) -> str:
        """Hold the clock against the time that has passed; what is to be said of a jump, "" for none."""
        moved = clock - steady - self._offset
        if abs(moved) <= _HOUR:
            return ""
        self._offset = clock - steady
        self._from = steady + DAY
        return (
            f"the clock was set {'forward' if moved > 0 else 'back'} by {_hours(abs(moved))}: "
            "nothing is deleted from the ledger for a day"
        )

    def allows(self, steady: float) -> bool:
        return steady >= self._from


def _hours(seconds: float) -> str:
    return f"{seconds / _HOUR:,.0f} hours"
