"""edge-deploy, over ssh, into booted Debian trees for 64-bit Arm that hear a virtual microphone: one story a suite, in
the order of this file. What a Raspberry Pi has beyond that, a board and its firmware, is not here."""

import base64
import dataclasses
import json
import os
import pty
import re
import shlex
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
from machine import PIS_64, TREES, Machine, free_port
from support import heed_sigint, wait_for
from virtual_microphone import VirtualMicrophone

from edge.container import pack, read
from edge.deploy import layout
from edge.deploy.package import own_wheel
from edge.listen import DEMO
from edge.model import SHIPPED

MUSIC_SECONDS = 14  # of the demo clip, before its silence
PATIENCE = "180"  # an emulated Pi is slow, and other tests may run beside it
ASOUND = """
pcm.mic {{
    type pulse
    server "tcp:127.0.0.1:{port}"
    device ear.monitor
    hint {{ show on description "virtual microphone" }}
}}
"""
NO_INTERNET = """
printf '[global]\\nindex-url = http://127.0.0.1:9/\\n' > /etc/pip.conf
echo nameserver 127.0.0.1 > /etc/resolv.conf
"""
# What changes whenever apt, systemd or Python do anything at all.
SYSTEMS_OWN = re.compile(
    r"/(proc|sys|dev|run|tmp)/|/var/(log|cache|tmp)/|/var/lib/(apt|dpkg|systemd|private|sudo|ucf|pam)/?|__pycache__"
    r"|/var/lib/private$|\.sudo_as_admin_successful$|/etc/ld.so.cache|/etc/(ssl|ca-certificates)|/usr/(local/)?share/ca-certificates|/home/pi/\.cache$"
)


class Pi:
    """A booted machine, and the command that deploys to it."""

    def __init__(self, machine: Machine, port: int) -> None:
        self.machine = machine
        self.name = f"ssh://pi@127.0.0.1:{port}"

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-m", "edge.deploy", self.name, *self.machine.ssh_options, "--patience", PATIENCE]

    def deploy(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.command, *map(str, words)],
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
            stdin=subprocess.DEVNULL,
        )

    def root(self, script: str) -> str:
        done = self.machine.enter("sh", "-euc", script)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def here(self, *words: str) -> str:
        """The command on the machine itself, by a user who may do all with sudo."""
        return self.root(shlex.join(["su", "pi", "-c", f"{layout.CURRENT}/bin/edge-deploy --here {' '.join(words)}"]))

    def write(self, path: str, content: bytes) -> None:
        script = f"base64 --decode > {shlex.quote(path)}"
        assert self.machine.enter("sh", "-c", script, input=base64.b64encode(content).decode()).returncode == 0

    @property
    def pid(self) -> int:
        return int(self.root(f"systemctl show -P MainPID {layout.SERVICE}"))

    @property
    def told(self) -> dict[str, object]:
        told: dict[str, object] = json.loads(self.root(f"cat {layout.STATUS}"))
        return told

    @property
    def release(self) -> str:
        return Path(self.root(f"readlink {layout.CURRENT}").strip()).name

    def files(self) -> set[str]:
        """Every path that isn't the system's own business."""
        paths = self.root("find / -xdev 2>/dev/null || true").splitlines()
        return {path for path in paths if not SYSTEMS_OWN.search(path)}

    def packages(self) -> str:
        return self.root("dpkg-query -W -f '${Package}\\n'")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a PulseAudio whose microphone hears music all the time."""
    home = tmp_path_factory.mktemp("home")
    clip = home / "music.wav"
    samples, rate = soundfile.read(DEMO)
    soundfile.write(clip, samples[: MUSIC_SECONDS * rate], rate)
    microphone, port = VirtualMicrophone(home), free_port()
    microphone.listen_on(port)
    again = f"while paplay -d ear {clip}; do :; done"
    with subprocess.Popen(["sh", "-c", again], env=microphone.environment) as player:
        yield port
        player.kill()
    microphone.close()


@pytest.fixture(scope="module", params=PIS_64)
def pi(request: pytest.FixtureRequest, sound: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pi]:
    """A fresh one, which is booted."""
    layer, port = tmp_path_factory.mktemp(request.param), free_port()
    asound = layer / "changes/etc/asound.conf"
    asound.parent.mkdir(parents=True)
    asound.write_text(ASOUND.format(port=sound))
    with Machine(TREES / request.param, layer) as machine:
        machine.boot(port)
        yield Pi(machine, port)
    shutil.rmtree(layer)


@pytest.fixture(scope="module")
def fresh(pi: Pi) -> tuple[set[str], str]:
    """The files and packages of before."""
    return pi.files(), pi.packages()


@pytest.fixture(scope="module")
def second_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "my second.tflite"
    network, card = read(SHIPPED)
    path.write_bytes(pack(network, dataclasses.replace(card, name="second"), path.suffix))
    return path


@pytest.fixture(scope="module")
def broken_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program that passes every check and ends where systemd has started it."""
    ends = b'raise SystemExit("broken on purpose")'
    return changed_wheel(tmp_path_factory.mktemp("broken"), "edge/outputs/systemd.py", b"self._ready = False", ends)


@pytest.fixture(scope="module")
def demanding_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program with one more requirement: pip has to look at all of them."""
    more = b"\nRequires-Dist: packaging>=24\nRequires-Dist:"
    return changed_wheel(tmp_path_factory.mktemp("demanding"), ".dist-info/METADATA", b"\nRequires-Dist:", more)


def changed_wheel(folder: Path, end: str, old: bytes, new: bytes) -> Path:
    """Our wheel with something else in the file whose name ends so."""
    good = own_wheel(folder)
    changed = folder / "changed" / good.name
    changed.parent.mkdir()
    with zipfile.ZipFile(good) as archive, zipfile.ZipFile(changed, "w") as other:
        (target,) = (name for name in archive.namelist() if name.endswith(end))
        for name in archive.namelist():
            content = archive.read(name)
            if name == target:
                assert old in content
                content = content.replace(old, new, 1)
            if name.endswith("/RECORD"):
                content = re.sub(rf"{re.escape(target)},.*".encode(), f"{target},,".encode(), content)
            other.writestr(name, content)
    return changed


def test_a_dry_run_says_every_step_and_does_none(pi: Pi, fresh: tuple[set[str], str]) -> None:
    done = pi.deploy("--device", "mic", "--dry-run")
    assert done.returncode == 0, done.stderr
    for step in ("apt-get", "-m venv", "pip", "scp", "systemctl --quiet enable", "restart", "benchmarks.latency"):
        assert step in done.stdout
    assert pi.files() == fresh[0]


def test_a_fresh_pi_listens(pi: Pi, fresh: tuple[set[str], str], tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    done = pi.deploy("--device", "mic", "--json", report)
    assert done.returncode == 0, done.stderr
    assert "let apt install libportaudio2 and python3-venv" in done.stdout
    assert re.search(r" listens: \w", done.stdout)
    assert "keeps up at a hop of 0.5 s" in done.stdout
    found = json.loads(report.read_text())[pi.name]
    assert found["target"]["markers"]["platform_machine"] == "aarch64"
    assert found["service"]["told"]["state"] in ("music", "other", "unknown", "silence")
    assert found["release"]["name"] == pi.release
    assert found["benchmark"]["models"][0]["hops"] > 500
    assert found["error"] is None
    assert pi.root(f"systemctl is-enabled {layout.SERVICE}").strip() == "enabled"
    assert pi.root(f"ps -o user= -p {pi.pid}").strip() != "root"
    assert not [path for path in pi.files() if "/.cache/" in path], "what was copied is still there"


def test_the_unit_is_what_systemd_takes_and_lets_it_do_little(pi: Pi) -> None:
    said = pi.root(f"systemd-analyze verify {layout.UNIT} 2>&1")  # of other units, too
    assert layout.SERVICE not in said
    exposure = pi.root(f"systemd-analyze security --no-pager {layout.SERVICE} | tail -1")
    assert float(re.search(r"(\d+\.\d+)", exposure)[1]) < 2.0, exposure  # type: ignore[index]


def test_the_same_again_changes_nothing(pi: Pi) -> None:
    before = pi.pid, pi.release
    done = pi.deploy()
    assert done.returncode == 0, done.stderr
    assert "all of it is there already" in done.stdout
    assert (pi.pid, pi.release) == before


def test_a_model_is_swapped_while_it_hears(pi: Pi, second_model: Path) -> None:
    before, lost = pi.pid, pi.told.get("lost", 0.0)
    done = pi.deploy("--model", second_model)
    assert done.returncode == 0, done.stderr
    told = pi.told
    assert (pi.pid, told["model"]) == (before, "second")
    assert told.get("lost", 0.0) - lost < 1.0  # type: ignore[operator]


def test_a_rollback_goes_back_and_no_further(pi: Pi) -> None:
    before, release = pi.pid, pi.release
    assert pi.deploy("--rollback").returncode == 0
    assert pi.release != release
    assert (pi.pid, pi.told["model"]) == (before, "edge")
    again = pi.deploy("--rollback")
    assert (again.returncode, again.stderr.count("\n")) == (1, 1)
    assert "no release from before" in again.stderr


def test_a_program_that_does_not_come_up_is_rolled_back_by_itself(pi: Pi, broken_wheel: Path) -> None:
    release = pi.release
    done = pi.deploy("--wheel", broken_wheel)
    assert done.returncode == 1
    assert "broken on purpose" in done.stdout
    assert f"didn't come up, and {release} runs again" in done.stderr
    assert pi.release == release
    wait_for(lambda: pi.told["top"])


def test_a_microphone_that_is_not_there_is_rolled_back_with_its_configuration(pi: Pi) -> None:
    release, config = pi.release, pi.root(f"cat {layout.CONFIG}")
    done = pi.deploy("--device", "no-such-card", "--patience", "20")
    assert done.returncode == 1
    assert "no-such-card" in done.stdout
    assert (pi.release, pi.root(f"cat {layout.CONFIG}")) == (release, config)
    wait_for(lambda: pi.told["top"])


def test_a_model_that_is_none_never_leaves_here(pi: Pi, tmp_path: Path) -> None:
    bad = tmp_path / "bad.tflite"
    bad.write_bytes(SHIPPED.read_bytes()[:5000])
    before = pi.pid, pi.release
    done = pi.deploy("--model", bad)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no model card inside" in done.stderr
    assert (pi.pid, pi.release) == before


def test_a_disk_that_becomes_full_changes_nothing(pi: Pi) -> None:
    before, folder = (pi.pid, pi.release), f"{layout.RELEASES}/small"
    pi.root(f"mkdir {folder} && mount -t tmpfs -o size=40M tmpfs {folder} && mount --bind {folder} {layout.RELEASES}")
    try:
        done = pi.deploy("--device", "other")
        assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    finally:
        pi.root(f"umount {layout.RELEASES} && umount {folder} && rmdir {folder}")
    assert (pi.pid, pi.release) == before
    wait_for(lambda: pi.told["top"])


def test_ctrl_c_in_the_middle_changes_nothing(pi: Pi, demanding_wheel: Path) -> None:
    before = pi.pid, pi.release, pi.files()
    command = [*pi.command, "--wheel", str(demanding_wheel)]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
        preexec_fn=heed_sigint,
    ) as deploy:
        assert deploy.stdout is not None and deploy.stderr is not None
        assert any("install the program" in line for line in deploy.stdout)
        wait_for(lambda: "/bin/python -m pip" in pi.root("ps -A -o args"), 30)
        os.killpg(deploy.pid, signal.SIGINT)  # as a terminal does: ssh gets it, too
        assert deploy.wait(60) == 1
        assert deploy.stderr.read() == "error: stopped in the middle: --status says what runs there now\n"
    assert "/bin/python -m pip" not in pi.root("ps -A -o args")
    assert (pi.pid, pi.release, pi.files()) == before
    wait_for(lambda: pi.told["top"])


def test_what_a_person_has_written_into_the_configuration_stays(pi: Pi) -> None:
    pi.root(f"printf '\\n[history]\\nfile = \"/var/lib/edge-listen/history.db\"\\n' >> {layout.CONFIG}")
    done = pi.deploy()
    assert done.returncode == 0, done.stderr
    assert "configuration" in done.stdout
    assert "[history]" in pi.root(f"cat {layout.CONFIG}")
    wait_for(lambda: pi.root("ls /var/lib/edge-listen/").split())


def test_status_of_several_and_of_one_that_cannot_be_reached(pi: Pi) -> None:
    again, gone = pi.name.replace("127.0.0.1", "localhost"), f"ssh://pi@127.0.0.1:{free_port()}"
    done = pi.deploy("--status", again, gone)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "Connection refused" in done.stderr
    head, *lines = done.stdout.splitlines()
    assert head.split()[:4] == ["host", "release", "model", "up"]
    assert [line.split()[0] for line in lines] == [pi.name, again, gone]
    assert all({pi.release, "mic,"} <= set(line.split()) for line in lines[:2])
    assert "failed" in lines[2].split()


def test_a_sudo_that_wants_a_password_gets_it_from_the_terminal(pi: Pi) -> None:
    rule = "/etc/sudoers.d/010_pi-nopasswd"
    pi.root(f"echo pi:listen | chpasswd; adduser --quiet pi sudo; mv {rule} /root/rule")
    try:
        refused = pi.deploy("--status")
        assert "its sudo asks for a password" in refused.stderr
        said = at_a_terminal([*pi.command, "--status"], "password", "listen")
        assert pi.release in said, said
    finally:
        pi.root(f"mv /root/rule {rule}")


def test_nothing_is_left_of_it(pi: Pi, fresh: tuple[set[str], str]) -> None:
    done = pi.deploy("--remove")
    assert done.returncode == 0, done.stderr
    assert pi.files() - fresh[0] == set()
    assert pi.packages() == fresh[1]
    assert "could not be found" in pi.machine.enter("systemctl", "status", layout.SERVICE).stderr
    assert pi.deploy("--remove").returncode == 0
    nothing = pi.deploy("--status")
    assert "inactive" in nothing.stdout


def test_without_internet_everything_is_brought_along(pi: Pi) -> None:
    apt = "DEBIAN_FRONTEND=noninteractive apt-get -qq --yes --no-install-recommends"
    pi.root(f"{apt} install python3-venv > /dev/null; {apt} install --download-only libportaudio2 > /dev/null")
    pi.root(NO_INTERNET)
    refused = pi.deploy("--device", "mic", "--offline")
    assert refused.returncode == 1
    assert "libportaudio2 must be there already, for the machine is offline" in refused.stderr
    pi.root(f"{apt} install --no-download libportaudio2 > /dev/null")
    refused = pi.deploy("--device", "mic")
    assert refused.returncode == 1
    assert "if that machine has no internet: --offline" in refused.stderr
    assert "current" not in pi.root(f"ls -a {layout.HOME}")
    done = pi.deploy("--device", "mic", "--offline")
    assert done.returncode == 0, done.stderr
    assert re.search(r" listens: \w", done.stdout)


def test_without_ssh_it_works_on_the_machine_itself(pi: Pi, second_model: Path) -> None:
    """The release has the command, too: it packs the wheel out of what is installed."""
    before = pi.pid
    assert "all of it is there already" in pi.here()
    pi.write("/tmp/my second.tflite", second_model.read_bytes())
    assert " listens: " in pi.here("--model", "'/tmp/my second.tflite'")
    assert (pi.pid, pi.told["model"]) == (before, "second")
    assert "second" in pi.here("--status")
    pi.here("--remove")
    assert pi.root(f"ls -d {layout.HOME}* {layout.UNIT} {layout.CONFIG} 2> /dev/null || true") == ""


def at_a_terminal(command: list[str], prompt: str, answer: str) -> str:
    """What a command says on a terminal where somebody answers its question."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(command[0], command)
    said = b""
    answered = False
    while True:
        try:
            said += os.read(terminal, 4096)
        except OSError:  # the other end is closed
            break
        if not answered and prompt.encode() in said:
            os.write(terminal, f"{answer}\n".encode())
            answered = True
    os.waitpid(pid, 0)
    return said.decode()
