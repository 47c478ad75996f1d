"""Parsers whose errors are one sentence that suggests the nearest word."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from ...errors import UsageError
from ..video.address import redact

_SENTENCES = {  # instead of what argparse says
    r": expected (at least )?one argument": " needs a value",
    r": invalid float value: (.*)": r" is \1; give a number",
    r": invalid int value: (.*)": r" is \1; give a whole number",
    r"the following arguments are required: (.*)": r"this is missing: \1",
}


class Parser(argparse.ArgumentParser):
    """Parser that raises `UsageError` instead of printing its usage and exiting."""

    _words: Sequence[str] = ()

    def __init__(self, **words: Any) -> None:
        super().__init__(allow_abbrev=False, **words)  # `--person 3` would be the height where there is no --person

    def parse_args(  # type: ignore[override]  # argparse has overloads for the namespace
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> Any:
        """Parse, and refuse what is left over."""
        parsed, rest = self.parse_known_args(args, namespace)
        if rest:
            raise UsageError(f"Unexpected argument '{redact(rest[0])}'. See {self.prog} --help.")
        return parsed

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse as argparse does, also for a nested command; keep the words for errors, and refuse unknown options."""
        self._words = list(sys.argv[1:] if args is None else args)
        parsed, rest = super().parse_known_args(args, namespace)
        self._refuse_options(rest)
        return parsed, rest

    def error(self, message: str) -> NoReturn:
        """Raise argparse's message as a sentence, or name the misspelt option that caused it."""
        if "invalid choice" in message or "are required" in message:
            self._refuse_options(self._words)  # the cause, which argparse takes for a choice or passes over
        message = redact(message.removeprefix("argument "))
        if choice := re.fullmatch(r"(.*): invalid choice: '(.*)' \(choose from (.*)\)", message):
            known = [name.strip("' ") for name in choice[3].split(",")]
            near = get_close_matches(choice[2], known, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Choose one of {', '.join(known)}; see {self.prog} --help."
            raise UsageError(f"'{choice[2]}' is not a valid choice for {choice[1]}. {hint}")
        for said, sentence in _SENTENCES.items():
            message = re.sub(said, sentence, message)
        raise UsageError(f"{message[:1].upper()}{message[1:]}. See {self.prog} --help.")

    def _refuse_options(self, words: Sequence[str]) -> None:
        """Refuse the first unknown option, if any, and suggest the nearest known one."""
        known = sorted(set(re.findall(r"(?<![\w-])--[a-z][\w-]*", self.format_help())))
        positive = {name.replace("--no-", "--") for name in known}
        for word in (word.partition("=")[0] for word in words if word.startswith("-") and len(word) > 1):
            if not word[1].isdigit() and word.replace("--no-", "--") not in positive:
                near = [name for name in known if name.startswith(word)] or get_close_matches(word, known, n=1)
                hint = f"Did you mean {near[0]}?" if near else f"See {self.prog} --help."
                raise UsageError(f"Unknown option '{word}'. {hint}")


class RootParser(Parser):
    """Parser of `posetrack`: a command if the first word is one, else the main command with its sources.

    argparse alone cannot distinguish `posetrack dance.mp4` from a command. A file named `demo` is `./demo`.

    Args:
        job: parser of the main command; `--help-all` lists its options.
        words: keyword arguments of `argparse.ArgumentParser`.
    """

    def __init__(self, job: Parser, **words: Any) -> None:
        super().__init__(parents=[job], **words)
        self._job = job
        self.commands = self.add_subparsers(title="commands", metavar="COMMAND", prog=self.prog, parser_class=Parser)

    def parse_args(  # type: ignore[override]  # argparse has overloads for the namespace
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> Any:
        """Parse the words of the command line."""
        words = list(sys.argv[1:] if args is None else args)
        if words and words[0] in self.commands.choices:
            return self.commands.choices[words[0]].parse_args(words[1:], namespace)
        if asked := [word for word in words if word in ("-h", "--help", "--help-all", "--version")]:
            return super().parse_args(asked[:1], namespace)  # prints, and leaves
        if words and re.fullmatch(r"[a-z][a-z-]*", words[0]) and not Path(words[0]).exists():
            near = get_close_matches(words[0], self.commands.choices, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"See {self.prog} --help."
            raise UsageError(f"There is neither a file nor a command '{words[0]}'. {hint}")
        return self._job.parse_args(words, namespace)
