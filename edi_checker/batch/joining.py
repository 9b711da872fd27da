"""The ranges of an input joined: its parts as one process reads them, with what workers found out of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from edi_checker.batch.memory import agree
from edi_checker.batch.ranges import Answers, End, Irregular, Judged, Range, standing
from edi_checker.check.checker import Checker, Outcomes, role_of, with_following
from edi_checker.check.engine import Met, Tally
from edi_checker.claims.checked import Checked
from edi_checker.claims.claim import Claim, Interchange, Part
from edi_checker.claims.reader import Reader
from edi_checker.facts import Coverage, Gap, InputMemory
from edi_checker.guide.hierarchy import LevelsSoFar
from edi_checker.guide.walker import Walked
from edi_checker.run.history import InputHistory
from edi_checker.x12.blocks import Block, Delimiters


class JoinedInput:
    """Reads an input without walking or judging it: both were done in its ranges, each by itself.

    What a range cannot know is judged here, with `checker`: the trailers, and claims to which the memory of
    the whole input says something else. The days of both are those of which the range has told already.
    `least` as of memory.RangeMemory.
    """

    def __init__(self, checker: Checker, least: int, history: InputHistory | None = None) -> None:
        self._checker = checker
        self._least = least
        self._coverage = Coverage()
        # Claims that are judged again were counted in their range.
        self._again = Coverage()
        self._history = history
        self._memory = InputMemory(checker.setting.minutes, self._again, history=history)
        self._walked = _Walked()
        self._reader = Reader(self._walked.open)
        self._outcomes = Outcomes(checker.isolation, profile=checker.setting.profile)
        self._end: LevelsSoFar | None = None
        self._met = Met()

    def join(self, given: Range, answers: Answers) -> Iterator[Checked]:
        """The parts of the next range, in document order.

        Raises Irregular where the range was read or judged under something else than stands above it.
        """
        if standing(self._reader, inside=given.inside is not None) != answers.above:
            raise Irregular
        if given.inside is not None:
            first = answers.blocks[0].walked
            if first is None or first.level != "2000B" or None in (answers.begin, self._end):
                raise Irregular
            if answers.begin != self._end:
                raise Irregular
        history = self._history
        if history is not None and answers.past is not None:
            history.learn(answers.past)
        for handful in with_following([self._read(given, answers)], lambda read: role_of(read[0])):
            for (part, judged), following in handful:
                checked = self._decide(part, judged, following)
                if history is not None:
                    history.take(part, accepted=checked.outcome == "accepted")
                yield checked
        self._end = answers.end
        self._met = self._met.join(answers.met)
        self._coverage.take(answers.gaps)

    def tally(self) -> Tally:
        """The rules that were applied, of those of `checker`."""
        counted = self._met.tally(self._checker.engine.tally().rules)
        return Tally(counted.rules, counted.applied, counted.not_in_force)

    def gaps(self) -> tuple[Gap, ...]:
        whole = Coverage()
        whole.take((*self._coverage.gaps(), *(gap for gap in self._again.gaps() if gap.side == "full")))
        return whole.gaps()

    def _read(self, given: Range, answers: Answers) -> list[tuple[Part, Judged | None]]:
        """The parts of a range, each with what was found of it."""
        found: list[tuple[Part, Judged | None]] = []
        for (block, following), answer in zip(given.with_following(), answers.blocks, strict=True):
            self._walked.walked = answer.walked
            opened = iter(answer.opened)
            for part in self._reader.read(block, following):
                found.append((part, None if isinstance(part, End) else next(opened, None)))
        if given.following is None:
            found += [(part, None) for part in self._reader.end()]
        return found

    def _decide(self, part: Part, judged: Judged | None, following: Iterable[Claim]) -> Checked:
        if isinstance(part, Interchange):
            self._memory.withdrawn.begin(part)
        if judged is None:
            if not isinstance(part, End):
                raise Irregular
            findings, failed = self._checker.judge(part, self._memory)
        elif part.faults != judged.faults:
            raise Irregular
        elif isinstance(part, Claim) and not agree(self._memory, judged.noted, part, self._least):
            findings, failed = self._checker.judge(part, self._memory, following)
        else:
            findings, failed = judged.findings, judged.failed
        return Checked(part, findings, self._outcomes.of(part, findings, failed), failed)


class _Walked:
    """Says of each block what the walker said of it in its range."""

    def __init__(self) -> None:
        self.walked: Walked | None = None

    def open(self, _delimiters: Delimiters) -> _Walked:
        return self

    def walk(self, _block: Block, _following: Block | None) -> Walked:
        if self.walked is None:
            raise Irregular
        return self.walked
