"""Shell scripts built from templates: the one place where values are quoted.

`Host.run` accepts only a `Script`, and only `script` makes one, so a value cannot reach a remote shell unquoted.
"""

import re
import shlex
from collections.abc import Sequence

PLACEHOLDER = re.compile(r"(?<!\$)\{([a-z_]+)\}")
QUOTED = re.compile(r"""'[^']*'|"(?:[^"\\]|\\.)*\"""", re.DOTALL)


class Script(str):
    """Shell text whose values are quoted; made by `script`."""

    __slots__ = ()


def script(template: str, **values: str | Sequence[str]) -> Script:
    """Build a shell script from a template.

    Parameters
    ----------
    template : str
        Shell text, a literal. `{name}` in lower case stands for a value; `${NAME}`, `{}` and `{ command; }` are the
        shell's own.
    **values : str or sequence of str
        A string becomes one shell word, a sequence becomes words separated by spaces, a `Script` is inserted as it is.

    Returns
    -------
    Script
        The template with every value quoted.

    Raises
    ------
    ValueError
        If a placeholder has no value, a value has no placeholder, or a placeholder stands inside quotes, where a quoted
        value would be unquoted again.

    Examples
    --------
    >>> script("rm -rf {folder}/wheels", folder="/home/first last")
    "rm -rf '/home/first last'/wheels"
    >>> script("apt-get install {packages}", packages=["python3-venv", "g++"])
    'apt-get install python3-venv g++'
    """
    names = set(PLACEHOLDER.findall(template))
    if names != values.keys():
        raise ValueError(f"placeholders {sorted(names)} but values {sorted(values)}")
    for quoted in QUOTED.findall(template):
        if PLACEHOLDER.search(quoted):
            raise ValueError(f"a placeholder inside quotes: {quoted}")
    return Script(PLACEHOLDER.sub(lambda match: _quoted(values[match[1]]), template))


def _quoted(value: str | Sequence[str]) -> str:
    if isinstance(value, Script):
        return value
    return shlex.quote(value) if isinstance(value, str) else shlex.join(value)
