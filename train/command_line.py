"""Parts that the commands of training and conversion share: their parser, and an error for a missing package."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

from edge.errors import EdgeError

OWN_PACKAGES = ("edge", "train", "convert", "benchmarks")


class _Version(argparse.Action):
    """Print the version; it is looked up only when asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from edge.version import version

        print(f"{parser.prog} {version()}")
        parser.exit()


def command_parser(module: str, description: str, examples: str, documentation: str) -> argparse.ArgumentParser:
    """Parser of `python -m MODULE` with --version, and with examples and a line to the documentation after the options.

    Parameters
    ----------
    module
        Dotted name of the module that is run.
    description
        One or two sentences about the command.
    examples
        Command lines, one a line.
    documentation
        Path of the README that describes the command, from the root of the repository.
    """
    lines = "\n".join(f"  {line}" for line in examples.strip().splitlines())
    parser = argparse.ArgumentParser(
        prog=f"python -m {module}",
        description=description,
        epilog=f"examples:\n{lines}\n\ndocumentation: {documentation}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    return parser


@contextmanager
def required_extra(extra: str) -> Iterator[None]:
    """Turn an import of a package that is missing into one sentence with the pip command that installs it.

    Usable as a decorator. `extra` names extras of pyproject.toml, separated by commas.

    Raises
    ------
    EdgeError
        If the block imports a package that is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] in OWN_PACKAGES:
            raise
        raise EdgeError(f"{error.name} is not installed; install it with: pip install -e '.[{extra}]'") from None
