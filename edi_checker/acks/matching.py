"""Which claims of the sent files each statement of an answer is about, and which statement decides.

The tables are those of answered. By the numbers of the trade: ISA13 (TA1), GS06 and ST02 (999), BHT03 and
CLM01 (277CA). Where several files have the same numbers, all else that the answer says tells them apart; what
cannot be told apart is said, and decides nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

_SEVERAL = (
    "The claim files have this more than once: which is meant is not known. Explain their answers one by one."
)


_DAY = 6  # characters of a time that name its day


def match(base: sqlite3.Connection) -> None:
    """Fill the tables link, error and decision."""
    base.row_factory = sqlite3.Row
    _match_interchanges(base)
    _match_groups(base)
    _match_batches(base)
    _match_listed(base)
    _match_counted(base)
    base.row_factory = None
    base.execute(_ERRORS)
    base.execute(_KNOWN)
    base.execute(_UNKNOWN)
    base.execute(_UNKNOWN_OF_999)


def _said(base: sqlite3.Connection, about: str) -> list[int]:
    return [id for (id,) in base.execute("SELECT id FROM said WHERE about = ? ORDER BY id", (about,))]


def _read(base: sqlite3.Connection, id: int) -> sqlite3.Row:
    row: sqlite3.Row = base.execute("SELECT * FROM said WHERE id = ?", (id,)).fetchone()
    return row


def _choose(said: sqlite3.Row, sets: Iterable[sqlite3.Row]) -> list[sqlite3.Row]:
    """Those of the sets that fit what the answer says besides: the interchange, and who sent it to whom."""
    found = list(sets)
    for wanted in (
        lambda one: not said["isa13"] or one["isa13"].lstrip("0") == said["isa13"].lstrip("0"),
        lambda one: (one["sender"], one["receiver"]) == (said["receiver"], said["sender"]),
    ):
        if len(found) > 1:
            found = [one for one in found if wanted(one)] or found
    return found


def _of_last_day(said: sqlite3.Row, sent: list[sqlite3.Row]) -> list[sqlite3.Row]:
    """Of what was sent under the same numbers on several days, that of the last day up to the answer's."""
    before = [one for one in sent if one["made"][:_DAY] <= said["made"][:_DAY]]
    last = max((one["made"][:_DAY] for one in before), default="")
    return [one for one in before if one["made"][:_DAY] == last] or sent


def _say_several(base: sqlite3.Connection, said: sqlite3.Row) -> None:
    base.execute("UPDATE said SET trouble = ? WHERE id = ?", (_SEVERAL, said["id"]))


def _link(base: sqlite3.Connection, said: int, sets: Sequence[sqlite3.Row], provider: str = "") -> None:
    """All claims of the sets, or those of a provider. What was said of them before is not noted again."""
    of = f"|{provider}|" if provider else ""
    for one in sets:
        if base.execute(_LINK, (said, one["id"], of, of, one["id"], of, said)).rowcount:
            base.execute("INSERT INTO whole VALUES (?, ?, ?)", (one["id"], of, said))


_LINK = """
INSERT INTO link SELECT claim.id, ?, 1 FROM claim
WHERE sent = ? AND (? = '' OR instr(providers, ?)) AND NOT EXISTS (
  SELECT 1 FROM whole JOIN said AS before ON before.id = whole.said JOIN said AS now ON now.kind = before.kind
    AND now.about = before.about AND now.own = before.own
    AND (now.own <> 'rejected' OR now.made = before.made)
  WHERE whole.sent = ? AND whole.provider = ? AND now.id = ?)
"""


def _match_interchanges(base: sqlite3.Connection) -> None:
    for id in _said(base, "interchange"):
        said = _read(base, id)
        if said["kind"] != "TA1" or not said["isa13"]:
            continue
        same = base.execute("SELECT * FROM sent WHERE ltrim(isa13, '0') = ltrim(?, '0')", (said["isa13"],))
        sets = _of_last_day(said, _choose(said, same))
        if len({one["file"] for one in sets}) > 1:
            _say_several(base, said)
        else:
            _link(base, id, sets)


def _match_groups(base: sqlite3.Connection) -> None:
    for id in _said(base, "group"):
        said = _read(base, id)
        if said["gs06"] == "" or said["sender"] == said["receiver"] == "":
            continue
        of = (said["file"], said["answer"])
        query = "SELECT id, st02, outcome FROM said WHERE file = ? AND answer = ? AND about = 'transaction'"
        listed = base.execute(query, of).fetchall()
        sets = _choose(said, base.execute("SELECT * FROM sent WHERE gs06 = ?", (said["gs06"],)))
        groups: dict[tuple[Any, ...], list[sqlite3.Row]] = {}
        for one in sets:
            groups.setdefault((one["file"], one["ordinal"]), []).append(one)
        names = {each["st02"] for each in listed}
        fitting = [group for group in groups.values() if names <= {one["st02"] for one in group}]
        counted = (said["accepted"] or 0) + (said["rejected"] or 0)
        fitting = [group for group in fitting if len(group) == counted] or fitting or list(groups.values())
        days = _of_last_day(said, [group[0] for group in fitting])
        fitting = [group for group in fitting if group[0] in days]
        if len(fitting) > 1:
            for each in (said, *listed):
                _say_several(base, each)
        elif fitting:
            _match_sets(base, said, listed, fitting[0])


def _match_sets(
    base: sqlite3.Connection, said: sqlite3.Row, listed: list[sqlite3.Row], group: list[sqlite3.Row]
) -> None:
    """The sets that are listed, and by the verdict of the group those that are not."""
    for each in listed:
        _link(base, each["id"], [one for one in group if one["st02"] == each["st02"]])
    rest = [one for one in group if one["st02"] not in {each["st02"] for each in listed}]
    rejected = sum(each["outcome"] == "rejected" for each in listed)
    whole = said["outcome"] != "rejected" or not said["accepted"]
    if whole:
        _link(base, said["id"], rest)
    elif rest and said["rejected"] == rejected:
        # The group was accepted in part, and all sets that were rejected are listed.
        values = {**dict(said), "own": "accepted", "outcome": "accepted", "heap": "wait", "gravity": 2}
        values |= {"id": None, "about": "counted", "advice": _WAIT_FOR_277CA, "codes": ""}
        values["text"] = "Its transaction set is counted as accepted."
        _link(base, _insert(base, values), rest)


_WAIT_FOR_277CA = "Wait for the 277CA, which answers the claims."


def _insert(base: sqlite3.Connection, values: dict[str, Any]) -> int:
    marks = ", ".join("?" * len(values))
    cursor = base.execute(f"INSERT INTO said ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))  # noqa: S608  # nosec B608  # names of columns
    return cursor.lastrowid or 0


def _sets_of_batch(base: sqlite3.Connection, said: sqlite3.Row) -> list[sqlite3.Row]:
    if not said["batch"]:
        return []
    return _choose(said, base.execute("SELECT * FROM sent WHERE batch = ?", (said["batch"],)))


def _match_batches(base: sqlite3.Connection) -> None:
    """What is said of a batch, or of a provider in it, as a whole."""
    for about in ("batch", "provider"):
        for id in _said(base, about):
            said = _read(base, id)
            sets = _of_last_day(said, _sets_of_batch(base, said))
            if len(sets) > 1:
                _say_several(base, said)
            elif about == "batch":
                _link(base, id, sets)
            elif said["own"] == "rejected" and said["provider"]:
                _link(base, id, sets, said["provider"])


def _match_listed(base: sqlite3.Connection) -> None:
    """The claims that a 277CA lists."""
    for id in _said(base, "claim"):
        said = _read(base, id)
        if not said["key"]:
            continue
        sets = [one["id"] for one in _sets_of_batch(base, said)]
        query = "SELECT claim.*, made FROM claim JOIN sent ON sent.id = sent WHERE key = ? ORDER BY claim.id"
        same = base.execute(query, (said["key"],)).fetchall()
        within = [one for one in same if one["sent"] in sets]
        found = _narrow(said, within) if within else _narrow(said, [one for one in same if _fits(said, one)])
        found = _of_last_day(said, found)
        if len({one["sent"] for one in found}) > 1:
            _say_several(base, said)
            continue
        # One claim for each time that the answer lists it.
        found = [one for one in found if not _is_taken(base, said, one["id"])][:1] or found[:1]
        base.executemany(
            "INSERT INTO link VALUES (?, ?, ?)", [(one["id"], id, bool(within)) for one in found]
        )


def _fits(said: sqlite3.Row, claim: sqlite3.Row) -> bool:
    """Whether a claim of another batch may still be meant: nothing that is known of both differs."""
    return all(
        None in (said[name], claim[name]) or said[name] == claim[name] for name in ("charge", "first")
    ) and (said["charge"] is not None or said["first"] is not None)


def _narrow(said: sqlite3.Row, claims: list[sqlite3.Row]) -> list[sqlite3.Row]:
    for wanted in (
        lambda one: one["number"] == said["number"],
        lambda one: one["charge"] == said["charge"],
        lambda one: one["first"] == said["first"],
        lambda one: f"|{said['provider']}|" in one["providers"],
        lambda one: one["patient"].upper() == said["patient"].upper(),
    ):
        if len(claims) > 1:
            claims = [one for one in claims if wanted(one)] or claims
    return claims


def _is_taken(base: sqlite3.Connection, said: sqlite3.Row, claim: int) -> bool:
    query = """
        SELECT 1 FROM link JOIN said ON said.id = link.said
        WHERE link.claim = ? AND said.file = ? AND said.answer = ? AND said.about = 'claim'
    """
    return base.execute(query, (claim, said["file"], said["answer"])).fetchone() is not None


def _match_counted(base: sqlite3.Connection) -> None:
    """The claims that a 277CA counts as accepted and does not list.

    They are all that are left of the batch, if so many are left; which of more would be meant is not known.
    """
    for id in _said(base, "batch"):
        said = _read(base, id)
        sets = _of_last_day(said, _sets_of_batch(base, said))
        if len(sets) != 1 or not said["accepted"]:
            continue
        of = (said["file"], said["answer"])
        query = """
            SELECT COUNT(*) FROM said
            WHERE file = ? AND answer = ? AND about = 'claim' AND outcome IN ('accepted', 'noted')
        """
        (listed,) = base.execute(query, of).fetchone()
        left = said["accepted"] - listed
        if left > 0 and left == _count_left(base, sets[0]["id"], of):
            values = {**dict(said), "id": None, "about": "counted", "own": "accepted", "outcome": "accepted"}
            values |= {"heap": "leave", "gravity": 0, "depth": 2, "advice": "", "codes": ""}
            values["text"] = "Accepted: the answer counts it as accepted and does not list it."
            counted = _insert(base, values)
            base.execute(f"INSERT INTO link SELECT id, ?, 1 FROM claim WHERE sent = ? AND {_NOT_NAMED}",  # noqa: S608  # nosec B608  # ours
                         (counted, sets[0]["id"], *of))  # fmt: skip


_NAMED = """
    SELECT DISTINCT link.claim FROM said JOIN link ON link.said = said.id
    WHERE said.file = ? AND said.answer = ? AND said.about IN ('claim', 'provider')
"""
_NOT_NAMED = f"id NOT IN ({_NAMED})"


def _count_left(base: sqlite3.Connection, sent: int, of: tuple[int, int]) -> int:
    """The claims of a set that an answer does not name, one by one or with their provider."""
    (claims,) = base.execute("SELECT COUNT(*) FROM claim WHERE sent = ?", (sent,)).fetchone()
    query = f"SELECT COUNT(*) FROM claim WHERE sent = ? AND id IN ({_NAMED})"  # noqa: S608  # nosec B608  # ours
    (named,) = base.execute(query, (sent, *of)).fetchone()
    return int(claims) - int(named)


# Errors of a 999 to the claim that they name, else to the one at their position.
_ERRORS = """
INSERT INTO error
SELECT claim.id, segment.id FROM said AS segment
JOIN said AS verdict ON verdict.file = segment.file AND verdict.answer = segment.answer
  AND verdict.about = 'transaction' AND verdict.st02 = segment.st02
JOIN (SELECT DISTINCT said, sent FROM link JOIN claim ON claim.id = link.claim) AS of ON of.said = verdict.id
JOIN claim ON claim.sent = of.sent AND (
  (segment.key <> '' AND claim.key = segment.key)
  OR (segment.key = '' AND segment.position BETWEEN claim.position AND claim.ends))
WHERE segment.about = 'segment'
"""

# The last word on a claim: of the latest link in the chain of answers, that of the last answer, the gravest.
# A receipt says nothing where anything else is said.
_KNOWN = """
INSERT INTO decision
SELECT NULL, 1, claim.id, best.said, COALESCE(best.heap, 'unanswered'), best.own, claim.number, claim.patient,
  claim.first, claim.last, claim.charge, path, sent.st02
FROM claim JOIN sent ON sent.id = claim.sent JOIN file ON file.id = sent.file
LEFT JOIN (
  SELECT link.claim, link.said, said.heap, said.own, ROW_NUMBER() OVER (
    PARTITION BY link.claim
    ORDER BY tier DESC, own <> 'received' DESC, exact DESC, made DESC, depth DESC, gravity DESC, said.id DESC
  ) AS place
  FROM link JOIN said ON said.id = link.said
) AS best ON best.claim = claim.id AND best.place = 1
ORDER BY claim.id
"""
_UNKNOWN = """
INSERT INTO decision
SELECT NULL, 0, NULL, id, heap, own, number, patient, first, last, charge, '', '' FROM (
  SELECT *, ROW_NUMBER() OVER (
    PARTITION BY key, batch, charge, first
    ORDER BY own <> 'received' DESC, made DESC, gravity DESC, id DESC
  ) AS place, MIN(id) OVER (PARTITION BY key, batch, charge, first) AS begun
  FROM said WHERE about = 'claim' AND NOT EXISTS (SELECT 1 FROM link WHERE link.said = said.id)
) WHERE place = 1 ORDER BY begun
"""
_UNKNOWN_OF_999 = """
INSERT INTO decision
SELECT NULL, 0, NULL, id, heap, own, number, '', NULL, NULL, NULL, '', st02 FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY key, gs06, st02, file ORDER BY gravity DESC, id) AS place
  FROM said WHERE about = 'segment' AND key <> ''
    AND NOT EXISTS (SELECT 1 FROM error WHERE error.said = said.id)
    AND NOT EXISTS (SELECT 1 FROM said AS later WHERE later.key = said.key AND later.about = 'claim')
) WHERE place = 1 ORDER BY id
"""
