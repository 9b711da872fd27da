"""The command `rules`: list, lint, test, start and document rules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edi_checker.cli.exit_codes import CHECKED, FOUND
from edi_checker.cli.help import Explained
from edi_checker.cli.options import config_option, profile_option
from edi_checker.cli.refusal import Refusal
from edi_checker.cli.rulebook import gather_plugins, load_rules
from edi_checker.run.lookup import example_checker, show_example

if TYPE_CHECKING:
    from edi_checker.check.checker import Checker
    from edi_checker.rules import Rule, Rulebook


@click.command(cls=Explained)
@click.argument("action", type=click.Choice(["list", "lint", "test", "new", "docs"]), default="list")
@click.argument("names", nargs=-1, metavar="[ID]...")
@click.option(
    "--rules",
    "folders",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="A folder of rule files or one rule file, in addition to the built-in ones.",
)
@profile_option
@click.option(
    "--out-dir",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder for rules.md, facts.md and coverage.md, the pages of `docs`.",
)
@config_option
def rules(
    action: str, names: tuple[str, ...], folders: tuple[Path, ...], profile: str, out_dir: Path | None
) -> int:
    """List the rules; check, test and start your own.

    \b
    list  the rules, one per line (the default)
    lint  what is wrong with rule files, or will go wrong
    test  whether the examples of rules pass and fail as the rules say
    new   start a rule: a file to fill in
    docs  the pages that describe the rules, their facts, and what watches each element of the guide

    ID is a rule id or its start up to a dot (for `new` its id). With --rules, lint, test and docs use only
    the rules given there, and new writes there, else to rulesets/.

    Exit code: 0 all is well, 1 something to fix, 2 a file is not a rule.
    """  # noqa: D301  # the sign by which click leaves the lines as they are
    if action == "new":
        return _begin_rules(names, folders)
    book = load_rules(folders, profile=profile)
    own = book.rules
    if folders:
        ids = {rule.id for rule in load_rules(folders, profile=profile, packaged=False).rules}
        own = tuple(rule for rule in book.rules if rule.id in ids)
    try:
        kept = book.keep(names).rules
    except ValueError as error:
        raise click.UsageError(f"{error} `edi-checker rules` lists all.") from None
    if action == "list":
        from edi_checker.reports.rule_page import list_rules

        click.echo(list_rules(kept), nl=False)
        return CHECKED
    chosen = [rule for rule in own if rule in kept]
    if action == "docs":
        return _write_docs(book, chosen, profile, out_dir)
    if action == "lint":
        complaints = _lint(book, chosen)
    else:
        complaints = _try_examples(example_checker(book, profile), chosen)
    for complaint in complaints:
        click.echo(complaint)
    rules_said = f"{len(chosen)} rule{'' if len(chosen) == 1 else 's'}"
    click.echo(f"{rules_said}, {len(complaints) or 'nothing'} to fix")
    return FOUND if complaints else CHECKED


def _begin_rules(names: tuple[str, ...], folders: tuple[Path, ...]) -> int:
    from datetime import date

    from edi_checker.rules.new_rule import draft

    if not names or len(folders) > 1:
        raise click.UsageError(
            "new takes the id of the rule, and one folder: edi-checker rules new acme.kx --rules DIR"
        )
    folder = folders[0] if folders else Path("rulesets")
    if folders == () and not folder.is_dir():
        raise click.UsageError(
            f"new writes into a folder of your own: edi-checker rules new {names[0]} --rules DIR"
        )
    known = {rule.id for rule in load_rules(()).rules}
    for name in names:
        if name in known:
            raise click.UsageError(f"there is already a rule {name}.")
        try:
            path = draft(name, folder, date.today())  # noqa: DTZ011  # the day at the user's desk
        except ValueError as error:
            raise click.UsageError(f"{error}.") from None
        except FileExistsError:
            raise Refusal(f"a file for rule {name} already exists below {folder}") from None
        except OSError as error:
            raise Refusal(f"{folder}: the rule cannot be written: {error.strerror}") from None
        click.echo(f"{path}: fill in each TODO, then `edi-checker rules lint` and `rules test`")
    return CHECKED


def _write_docs(book: Rulebook, chosen: list[Rule], profile: str, out_dir: Path | None) -> int:
    from edi_checker.files.output import write_whole
    from edi_checker.reports.coverage_page import write_coverage_page
    from edi_checker.reports.rule_docs import write_facts_page, write_rules_page
    from edi_checker.run.setting import known_facts

    checker, plugins = example_checker(book, profile), gather_plugins()
    page = write_rules_page(chosen, lambda rule: show_example(checker, rule))
    if out_dir is None:
        click.echo(page, nl=False)
        return CHECKED
    vocabulary = known_facts(plugins)
    pages = {
        "rules.md": page,
        "facts.md": write_facts_page(vocabulary),
        "coverage.md": write_coverage_page(checker, chosen),
    }
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        for name, text in pages.items():
            with write_whole(out_dir / name) as out:
                out.write(text.encode())
    except OSError as error:
        raise Refusal(f"{out_dir}: cannot be written: {error.strerror}") from None
    return CHECKED


def _lint(book: Rulebook, chosen: list[Rule]) -> list[str]:
    from edi_checker.check.fixes import REPAIRS
    from edi_checker.rules import RuleFault
    from edi_checker.rules.lint import lint, lint_twins
    from edi_checker.run.setting import known_facts

    plugins = gather_plugins()
    vocabulary = known_facts(plugins)
    faults = [fault for rule in chosen for fault in lint(rule, vocabulary)] + lint_twins(book.rules, chosen)
    faults += [
        RuleFault(rule.path, 0, "has no repair in edi-checker fix (fixable)")
        for rule in chosen
        if rule.fixable and rule.id not in REPAIRS
    ]
    return [str(fault) for fault in sorted(faults, key=lambda fault: (fault.path, fault.line))]


def _try_examples(checker: Checker, chosen: list[Rule]) -> list[str]:
    from edi_checker.check.examples import ExampleError, try_examples

    complaints = []
    for rule in chosen:
        try:
            complaints += try_examples(checker, rule)
        except ExampleError as error:
            complaints.append(f"{rule.path}: {error}")
        except Exception as error:  # noqa: BLE001  # notation can be wrong in more ways than anyone foresees
            complaints.append(f"{rule.path}: an example cannot be read ({type(error).__name__})")
    return complaints
