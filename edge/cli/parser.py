"""The parts that every command's argument parser shares: help, `--version` and shell completion."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

SHELLS = ("bash", "zsh", "tcsh")


class _Version(argparse.Action):
    """Prints the version; it is looked up only then, which takes longer than the whole of `--help`."""

    def __call__(self, parser: argparse.ArgumentParser, *arguments: Any, **keywords: Any) -> None:
        from edge.version import version

        print(f"{parser.prog} {version()}")
        parser.exit()


class _Completion(argparse.Action):
    """Prints a completion script for a shell."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: object, values: Any, *arguments: Any) -> None:
        try:
            import shtab
        except ImportError:
            parser.exit(1, "error: shell completion needs shtab: pip install 'edge-listen[completion]'\n")
        sys.stdout.write(shtab.complete(parser, values))
        parser.exit()


def make_parser(prog: str, description: str, examples: Sequence[tuple[str, str]], docs: str) -> argparse.ArgumentParser:
    """Make the parser of a command.

    Parameters
    ----------
    prog
        Name of the command.
    description
        One sentence.
    examples
        Command lines and their meanings, for the end of the help.
    docs
        The file of the project that describes the command.
    """
    width = max(len(line) for line, _ in examples)
    lines = [f"  {line:<{width}}  {meaning}".rstrip() for line, meaning in examples]
    parser = argparse.ArgumentParser(
        prog=prog,
        description=description,
        epilog="\n".join(["examples:", *lines, "", f"documentation: {docs}"]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    general = parser.add_argument_group("general")
    general.add_argument("-h", "--help", action="help", help="show this help and exit")
    general.add_argument(
        "--version", action=_Version, nargs=0, default=argparse.SUPPRESS, help="show the version and exit"
    )
    if " " not in prog:  # shells complete commands, not `python -m module`
        general.add_argument(
            "--print-completion",
            action=_Completion,
            choices=SHELLS,
            default=argparse.SUPPRESS,
            help="print a completion script for a shell and exit",
        )
    return parser
