"""Hosts run scripts and feed them; tests/pi deploys over a real ssh."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.deploy import scripts
from edge.deploy.deployment import archive
from edge.deploy.host import Host, SshHost, ThisMachine
from edge.deploy.shell import script
from edge.errors import EdgeError

# As sshd does: the words are joined by spaces and read by a shell in the home.
SSH = """\
#!/bin/sh
while [ "$1" = -o ]; do shift 2; done
case $1 in -*) exit; esac
shift
cd "$FAKE_HOME"
exec sh -c "$*"
"""


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SshHost:
    """A host whose ssh is a stand-in."""
    home, command = tmp_path / "first last's $HOME", tmp_path / "bin/ssh"
    home.mkdir()
    command.parent.mkdir()
    command.write_text(SSH)
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(command.parent), prepend=":")
    monkeypatch.setenv("FAKE_HOME", str(home))
    return SshHost("pi@raspberrypi.local", ["Port=2222"])


@pytest.fixture(params=["this machine", "ssh"])
def host(request: pytest.FixtureRequest) -> Host:
    """Each kind of host."""
    return ThisMachine() if request.param == "this machine" else request.getfixturevalue("ssh")


def test_a_script_returns_its_output_and_reads_its_input(host: Host) -> None:
    assert host.run(script("cat; echo after"), stdin=b"text\n") == "text\nafter\n"


def test_output_that_is_not_utf_8_is_kept_as_far_as_possible(host: Host) -> None:
    assert host.run(script("printf 'a\\377b'")) == "a\N{REPLACEMENT CHARACTER}b"


@pytest.mark.parametrize(
    ("failing", "message"),
    [
        (script("echo one >&2; echo two >&2; exit 3"), "two"),
        (script("echo only; exit 1"), "only"),
        (script("exit 7"), "exit status 7"),
        (script("$no"), "no"),
    ],
)
def test_a_failing_script_raises_its_last_line(host: Host, failing: scripts.Script, message: str) -> None:
    with pytest.raises(EdgeError, match=f"^{host.name}: .*{message}"):
        host.run(failing)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_a_value_arrives_over_ssh_as_it_is(ssh: SshHost, value: str) -> None:
    assert ssh.run(script("printf %s {value}", value=value)) == value


def test_files_are_copied_into_any_folder(host: Host, tmp_path: Path) -> None:
    sent = tmp_path / "my file"
    sent.write_text("content")
    sent.chmod(0o600)
    (tmp_path / "link to it").symlink_to(sent)
    folder = tmp_path / "to a 'folder' $HOME"
    host.run(scripts.unpack(str(folder)), stdin=archive([sent, tmp_path / "link to it"]))
    for name in ("my file", "link to it"):
        assert (folder / name).read_text() == "content"
        assert not (folder / name).is_symlink()


def test_a_password_of_sudo_does_not_reach_the_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sudo = tmp_path / "sudo"
    sudo.write_text('#!/bin/sh\nread -r password\nshift 4\nexec "$@"\n')
    sudo.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    host = ThisMachine()
    host.sudo, host.password = "password", "secret"
    assert host.run(script("cat"), root=True, stdin=b"text") == "text"


def test_a_missing_ssh_is_named(ssh: SshHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/no/such/folder")
    with pytest.raises(EdgeError, match="ssh is not installed on this machine"):
        ssh.run(script("true"))
    with pytest.raises(EdgeError, match="ssh is not installed on this machine"):
        ssh.connect()
