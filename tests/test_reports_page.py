"""docs/reports.md says what the commands print."""

import re
import shlex

from click.testing import CliRunner

from edi_checker.cli import commands
from paths import ROOT

PAGE = (ROOT / "docs" / "reports.md").read_text("utf-8")


def test_each_example_prints_what_the_page_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    done = []
    for text in re.findall(r"^```console\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            program, *arguments = shlex.split(command)
            ended = CliRunner().invoke(commands, arguments)
            pattern = ".*".join(map(re.escape, re.split(r"^\.\.\.$", output, flags=re.MULTILINE)))
            assert re.fullmatch(pattern, ended.output, re.DOTALL), ended.output
            done.append(program)
    assert done
    assert set(done) == {"edi-checker"}
