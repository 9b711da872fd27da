"""How the command explains itself: commands in groups, options under headings, examples at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import click

GROUPS = {
    "Check claims": ("check", "batch", "facts", "fix", "serve", "watch"),
    "Understand": ("explain", "explain-ack", "rules", "tables", "units", "schema"),
    "Look after a watched folder": ("status", "ledger"),
    "Other": (),
}
"""The commands by what they are for; one that is in no group comes last."""

# Options under their headings, by the name without dashes; what is in none stands under the first.
_HEADINGS = {
    "Options": (),
    "What is checked": (
        "profile",
        "rules",
        "tables",
        "select",
        "ignore",
        "minutes",
        "received",
        "isolation",
        "engine",
        "partners",
    ),
    "Earlier files": ("history", "history-key", "remember"),
    "Limits": (
        "max-segment",
        "max-claim",
        "max-unpacked",
        "max-findings",
        "max-seconds",
        "max-body",
        "no-fast-path",
    ),
    "Screen and log": (
        "quiet",
        "verbose",
        "tables-used",
        "stats",
        "no-progress",
        "log-format",
        "hide-names",
        "status-file",
        "metrics",
        "debug",
        "config",
        "help",
    ),
}

EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "check": (
        ("check claims.837", "What is wrong in a file, and how to fix it"),
        ("check claims.837 --acks --split --out-dir out", "Also the answers, and the claims to send"),
        ("check --format csv -o findings.csv inbox", "A folder of files, for a spreadsheet"),
    ),
    "batch": (
        ("batch inbox --out-dir out", "All files of a folder, on all cores"),
        ("batch inbox --out-dir out --resume", "Go on after Ctrl-C"),
    ),
    "facts": (
        ("facts inbox --to parquet --out-dir tables", "Tables for DuckDB, Spark, pandas or Excel"),
        ("facts claims.837 --out-dir tables --with-phi", "With names, birth dates and member ids"),
    ),
    "fix": (
        ("fix claims.837 --diff", "What would be changed"),
        ("fix claims.837 --output fixed.837", "A file with what is a matter of form alone put right"),
    ),
    "explain": (
        ("explain ncci.mue", "Why the rule exists, with an example"),
        ("explain acme.kx --rules our-rules", "A rule of your own"),
    ),
    "explain-ack": (
        ("explain-ack claims.999", "What a 999 says, in plain words"),
        ("explain-ack payer.277ca", "Which claims a payer rejected, and why"),
    ),
    "rules": (
        ("rules", "All rules, one a line"),
        ("rules new acme.kx --rules our-rules", "Start a rule of your own"),
        ("rules test --rules our-rules", "Whether its examples pass and fail as they should"),
    ),
    "tables": (
        ("tables", "The releases that are imported"),
        ("tables lookup 97530", "What is known of a code today"),
        ("tables lookup 97530 97140 --on 2026-03-02", "Whether two codes are a pair"),
    ),
    "units": (("units 97530=25 97140=20", "The billable units of a day"),),
    "schema": (
        ("schema", "The schemas that there are"),
        ("schema report", "That of `check --format json`"),
    ),
    "serve": (
        ("serve", "The page, for this machine alone: http://127.0.0.1:8837/"),
        ("serve --port 9000 --workers 4", "At another port, with four processes"),
    ),
    "watch": (
        (
            "watch inbox --out-dir out --archive archive --state ledger.db",
            "Answer each file that arrives",
        ),
        ("watch inbox --out-dir out --archive archive --state ledger.db --once", "Those that are there"),
    ),
    "status": (("status --state ledger.db", "What waits, and what needs somebody"),),
    "ledger": (
        ("ledger list --state ledger.db", "The newest files"),
        ("ledger show 12 --state ledger.db", "What became of file 12"),
    ),
}
"""What to type, without the program's name, and what it does, by command."""

FIRST = (
    ("check claims.837", "What is wrong in a claim file, and how to fix it"),
    ("explain ncci.mue", "What a rule is about"),
    ("explain-ack claims.999", "What an acknowledgement says"),
)
"""What somebody types first."""


def write_examples(formatter: click.HelpFormatter, examples: Sequence[tuple[str, str]], title: str) -> None:
    with formatter.section(title):
        for typed, does in examples:
            formatter.write(f"{' ' * formatter.current_indent}edi-checker {typed}\n")
            formatter.write(f"{' ' * formatter.current_indent}    {does}\n")


def in_groups(names: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """The commands by group, in the order of the groups."""
    left = list(names)
    for title, members in GROUPS.items():
        found = [name for name in members if name in left] or ([] if members else list(left))
        left = [name for name in left if name not in found]
        if found:
            yield title, found


class ExplainedGroup(click.Group):
    """A command with commands of its own, and examples of them."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        write_examples(formatter, EXAMPLES[str(self.name)], "Examples")


class Explained(click.Command):
    """A command whose many options stand under headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows: dict[str, list[tuple[str, str]]] = {heading: [] for heading in _HEADINGS}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None and isinstance(param, click.Option):
                rows[_heading_of(param)].append(record)
        for heading, records in rows.items():
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        write_examples(formatter, EXAMPLES[str(self.name)], "Examples")


def _heading_of(option: click.Option) -> str:
    names = {name.lstrip("-") for name in option.opts}
    return next((heading for heading, members in _HEADINGS.items() if names.intersection(members)), "Options")
