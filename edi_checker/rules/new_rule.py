"""The first text of a new rule: one that loads and runs, with TODO for what its author must write."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

TODO = "TODO"

_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)+")

_TEXT = """\
# {path}: the rule {id}.
# A finding: everything under `match` holds, and not everything under `require`. The facts for rules
# are in facts.md, all rules in rules.md: `edi-checker rules docs` writes both.
title: "TODO: what is true if all is well"
fault: "TODO: what is wrong if it is not, in 70 characters at most"
why: >-
  TODO: what goes wrong if it is not, and for whom.
severity: warning # or error, which rejects the claim, or info; by profile: {{medicare: error, default: info}}
snip: 7 # 5 code sets, 6 services that do not fit each other, 7 a payer's own
in_force: {{from: {today}}} # dates of service; until: the last day
# binds: {{default: "what binds the payer to it"}} # where the rule is an error
match:
  line: {{fact: line, code: "97530"}}
require:
  line: {{modifiers: {{has: GP}}}}
at: line SV101-3
message: "TODO: what is wrong with {{line.code}}; never a name, member id, birth date or address."
fix: "TODO: what the biller should do."
status: {{277CA: ["A3:23:41"]}} # what an error reports to the sender
sources:
  - {{cite: "TODO: where it is written down", seen: {today}}}
examples:
  pass:
    - lines: ["97530:GP x2"]
      claim: {{date: {today}, received: {today}}}
  fail:
    - lines: ["97530:GO x2"]
      claim: {{date: {today}, received: {today}}}
      at: 1
"""


def draft(rule_id: str, folder: Path, today: date) -> Path:
    """Write the file of a new rule below a folder, made if it does not exist; returns its path.

    Raises ValueError for what is not an id, FileExistsError if the rule already exists, OSError if it cannot
    be written.
    """
    if not _ID.fullmatch(rule_id) or rule_id.count(".") > 7:
        raise ValueError(
            f"{rule_id!r} is not a rule id: lower case letters, digits and single hyphens, in two parts "
            "or more with dots between them, such as acme.authorization"
        )
    path = folder.joinpath(*rule_id.split(".")).with_suffix(".yaml")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("x", encoding="utf-8") as file:
        file.write(
            _TEXT.format(path=path.relative_to(folder).as_posix(), id=rule_id, today=today.isoformat())
        )
    return path
