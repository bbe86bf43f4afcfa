"""Values that enter a shell script are quoted, whatever they hold, and cannot get in by another way."""

import ast
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import edge.deploy
from edge.deploy import scripts
from edge.deploy.host import ThisMachine
from edge.deploy.shell import script

NASTY = [
    *(
        "/home/first last",
        "o'neill",
        'a "b"',
        "$HOME",
        "${HOME}",
        "$(id)",
        "`id`",
        "a;b",
        "*",
        "~",
        "new\nline",
        "{folder}",
    ),
    *("back\\slash", "-rf", "", "#", "a&b|c>d", "é …", "!"),
]
values = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])) | st.sampled_from(NASTY)
SOURCES = sorted(Path(edge.deploy.__file__).parent.glob("*.py"))


def words_of(text: str) -> list[str]:
    """Words that a shell makes of a text."""
    done = subprocess.run(["sh", "-c", f"printf '%s\\0' {text}"], capture_output=True, check=True)
    return done.stdout.decode().split("\0")[:-1]


@given(values)
def test_a_string_stays_one_word(value: str) -> None:
    assert words_of(script("{value}", value=value)) == [value]


@given(st.lists(values, min_size=1))
def test_each_member_of_a_list_stays_one_word(several: list[str]) -> None:
    assert words_of(script("{several}", several=several)) == several


@given(values, values)
def test_a_value_may_be_part_of_a_word(value: str, other: str) -> None:
    assert words_of(script("/a/{value}/{other}.d", value=value, other=other)) == [f"/a/{value}/{other}.d"]


@given(values)
def test_a_script_inside_a_script_is_quoted_once(value: str) -> None:
    inner = script("{value} more", value=value)
    assert words_of(script("{inner} end", inner=inner)) == [value, "more", "end"]


def test_braces_of_the_shell_stay() -> None:
    text = "{ dpkg-query -f '${Package}'; find . -exec rm {} +; }"
    assert script(text) == text


@pytest.mark.parametrize(
    "template", ["'{value}'", '"$HOME/{value}"', "sed 's/a/{value}/'", "'multiple\nlines {value}'"]
)
def test_a_placeholder_inside_quotes_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match="a placeholder inside quotes"):
        script(template, value="x")


@pytest.mark.parametrize(("template", "given"), [("{a} {b}", {"a": "1"}), ("{a}", {"a": "1", "b": "2"})])
def test_placeholders_and_values_must_agree(template: str, given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="placeholders"):
        script(template, **given)


@pytest.mark.parametrize("text", ["rm -rf /home/first last", script("rm -rf {folder}", folder="x") + " y"])
def test_a_host_runs_nothing_but_scripts(text: str) -> None:
    with pytest.raises(TypeError, match="its values are quoted"):
        ThisMachine().run(text)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_every_template_is_a_literal(path: Path) -> None:
    """An f-string, a sum or a variable as a template could hold values that nobody quoted."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "script":
                (template,) = node.args
                assert isinstance(template, ast.Constant), f"{path.name}:{node.lineno}"
            elif node.func.id == "Script":
                assert path.name == "shell.py", f"{path.name}:{node.lineno}"


@given(values.filter(lambda value: "\n" not in value and value), values.filter(lambda value: "\n" not in value), values)
def test_sed_replaces_text_literally(old: str, new: str, around: str) -> None:
    text = f"{around}{old}{around}"
    command = scripts.sed_replacement(old, new)
    done = subprocess.run(["sed", "-z", command], input=text.encode(), capture_output=True, check=True)
    assert done.stdout.decode() == text.replace(old, new)
