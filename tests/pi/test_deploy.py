"""edge-deploy over ssh to booted Debian trees for 64-bit Arm, which hear a virtual microphone.

The tests are one story per Debian suite, in the order of this file. A board and its firmware are not emulated.
"""

import dataclasses
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
from booted import Pi, at_a_terminal, changed_wheel
from helpers.support import heed_sigint, wait_for
from helpers.virtual_microphone import VirtualMicrophone
from machine import PIS_64, TREES, Machine, free_port

from edge.audio.open import DEMO_CLIP
from edge.deploy import layout
from edge.model.file import pack, read_model_file
from edge.model.load import SHIPPED_MODEL

pytestmark = [pytest.mark.emulated, pytest.mark.root]

MUSIC_SECONDS = 14  # of the demo clip, before its silence
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


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Port of a PulseAudio server whose microphone hears music all the time."""
    home = tmp_path_factory.mktemp("home")
    clip = home / "music.wav"
    samples, rate = soundfile.read(DEMO_CLIP)
    soundfile.write(clip, samples[: MUSIC_SECONDS * rate], rate)
    microphone, port = VirtualMicrophone(home), free_port()
    microphone.listen_on(port)
    again = f"while paplay -d ear {clip}; do :; done"
    with subprocess.Popen(["sh", "-c", again], env=microphone.environment) as player:
        yield port
        player.kill()
    microphone.kill_server()


@pytest.fixture(scope="module", params=PIS_64)
def pi(request: pytest.FixtureRequest, sound: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pi]:
    """A fresh machine, booted."""
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
    """Files and packages before the first deployment."""
    return pi.files(), pi.packages()


@pytest.fixture(scope="module")
def second_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "my second.tflite"
    network, card = read_model_file(SHIPPED_MODEL)
    path.write_bytes(pack(network, dataclasses.replace(card, name="second"), path.suffix))
    return path


@pytest.fixture(scope="module")
def broken_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program that passes every check and exits once systemd has started it."""
    ends = b'raise SystemExit("broken on purpose")'
    return changed_wheel(tmp_path_factory.mktemp("broken"), "edge/outputs/systemd.py", b"self._ready = False", ends)


@pytest.fixture(scope="module")
def demanding_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program with one more requirement, so that pip has to resolve all of them."""
    more = b"\nRequires-Dist: packaging>=24\nRequires-Dist:"
    return changed_wheel(tmp_path_factory.mktemp("demanding"), ".dist-info/METADATA", b"\nRequires-Dist:", more)


def test_a_dry_run_prints_every_step_and_does_none(pi: Pi, fresh: tuple[set[str], str]) -> None:
    done = pi.deploy("--device", "mic", "--dry-run")
    assert done.returncode == 0, done.stderr
    for step in ("apt-get", "-m venv", "pip", "tar --extract", "systemctl --quiet enable", "restart", "edge-benchmark"):
        assert step in done.stdout
    assert pi.files() == fresh[0]


def test_a_fresh_pi_listens(pi: Pi, fresh: tuple[set[str], str], tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    done = pi.deploy("--device", "mic", "--json", report)
    assert done.returncode == 0, done.stderr
    assert "install libportaudio2 and python3-venv with apt" in done.stdout
    assert re.search(r" listens: \w", done.stdout)
    assert "keeps up at a hop of 0.5 s" in done.stdout
    fields = json.loads(report.read_text())[pi.name]
    assert fields["target"]["markers"]["platform_machine"] == "aarch64"
    assert fields["service"]["told"]["state"] in ("music", "other", "unknown", "silence")
    assert fields["release"]["name"] == pi.release
    assert fields["benchmark"]["models"][0]["hops"] > 500
    assert fields["error"] is None
    assert pi.root(f"systemctl is-enabled {layout.SERVICE}").strip() == "enabled"
    assert pi.root(f"ps -o user= -p {pi.pid}").strip() != "root"
    assert not [path for path in pi.files() if "/.cache/" in path], "the uploads are still there"


def test_the_unit_is_valid_and_confines_the_service(pi: Pi) -> None:
    output = pi.root(f"systemd-analyze verify {layout.UNIT} 2>&1")  # about other units, too
    assert layout.SERVICE not in output
    exposure = pi.root(f"systemd-analyze security --no-pager {layout.SERVICE} | tail -1")
    assert float(re.search(r"(\d+\.\d+)", exposure)[1]) < 2.0, exposure  # type: ignore[index]


def test_deploying_the_same_again_changes_nothing(pi: Pi) -> None:
    before = pi.pid, pi.release
    done = pi.deploy()
    assert done.returncode == 0, done.stderr
    assert "is up to date" in done.stdout
    assert (pi.pid, pi.release) == before


def test_a_model_is_swapped_while_listening(pi: Pi, second_model: Path) -> None:
    before, lost = pi.pid, pi.status.get("lost", 0.0)
    done = pi.deploy("--model", second_model)
    assert done.returncode == 0, done.stderr
    status = pi.status
    assert (pi.pid, status["model"]) == (before, "second")
    assert status.get("lost", 0.0) - lost < 1.0  # type: ignore[operator]


def test_a_rollback_goes_one_release_back_and_no_further(pi: Pi) -> None:
    before, release = pi.pid, pi.release
    assert pi.deploy("--rollback").returncode == 0
    assert pi.release != release
    assert (pi.pid, pi.status["model"]) == (before, "edge")
    again = pi.deploy("--rollback")
    assert (again.returncode, again.stderr.count("\n")) == (1, 1)
    assert "there is no release before" in again.stderr


def test_a_program_that_does_not_come_up_is_rolled_back(pi: Pi, broken_wheel: Path) -> None:
    release = pi.release
    done = pi.deploy("--wheel", broken_wheel)
    assert done.returncode == 1
    assert "broken on purpose" in done.stdout
    assert "did not come up (" in done.stderr
    assert f"; {release} is running again" in done.stderr
    assert pi.release == release
    wait_for(lambda: pi.status["top"])


def test_a_missing_microphone_is_rolled_back_with_its_configuration(pi: Pi) -> None:
    release, config = pi.release, pi.root(f"cat {layout.CONFIG}")
    done = pi.deploy("--device", "no-such-card", "--patience", "20")
    assert done.returncode == 1
    assert "no-such-card" in done.stdout
    assert (pi.release, pi.root(f"cat {layout.CONFIG}")) == (release, config)
    wait_for(lambda: pi.status["top"])


def test_an_invalid_model_is_refused_before_anything_is_copied(pi: Pi, tmp_path: Path) -> None:
    bad = tmp_path / "bad.tflite"
    bad.write_bytes(SHIPPED_MODEL.read_bytes()[:5000])
    before = pi.pid, pi.release
    done = pi.deploy("--model", bad)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no model card inside" in done.stderr
    assert (pi.pid, pi.release) == before


def test_a_full_disk_changes_nothing(pi: Pi) -> None:
    before, folder = (pi.pid, pi.release), f"{layout.RELEASES}/small"
    pi.root(f"mkdir {folder} && mount -t tmpfs -o size=40M tmpfs {folder} && mount --bind {folder} {layout.RELEASES}")
    try:
        done = pi.deploy("--device", "other")
        assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    finally:
        pi.root(f"umount {layout.RELEASES} && umount {folder} && rmdir {folder}")
    assert (pi.pid, pi.release) == before
    wait_for(lambda: pi.status["top"])


def test_ctrl_c_during_the_installation_changes_nothing(pi: Pi, demanding_wheel: Path) -> None:
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
        wait_for(lambda: "/bin/python -I -m pip" in pi.root("ps -A -o args"), 30)
        os.killpg(deploy.pid, signal.SIGINT)  # as a terminal does: ssh gets it, too
        assert deploy.wait(60) == 1
        assert deploy.stderr.read() == "error: interrupted: run edge-deploy --status to see what is running now\n"
    assert "/bin/python -I -m pip" not in pi.root("ps -A -o args")
    assert (pi.pid, pi.release, pi.files()) == before
    wait_for(lambda: pi.status["top"])


def test_edits_of_the_configuration_by_hand_stay(pi: Pi) -> None:
    pi.root(f"printf '\\n[history]\\nfile = \"/var/lib/edge-listen/history.db\"\\n' >> {layout.CONFIG}")
    done = pi.deploy()
    assert done.returncode == 0, done.stderr
    assert "configuration" in done.stdout
    assert "[history]" in pi.root(f"cat {layout.CONFIG}")
    wait_for(lambda: pi.root("ls /var/lib/edge-listen/").split())


def test_the_status_of_several_hosts_one_of_them_unreachable(pi: Pi) -> None:
    again, gone = pi.name.replace("127.0.0.1", "localhost"), f"ssh://pi@127.0.0.1:{free_port()}"
    done = pi.deploy("--status", again, gone)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "Connection refused" in done.stderr
    head, *lines = done.stdout.splitlines()
    assert head.split()[:4] == ["host", "release", "model", "up"]
    assert [line.split()[0] for line in lines] == [pi.name, again, gone]
    assert all({pi.release, "mic,"} <= set(line.split()) for line in lines[:2])
    assert "failed" in lines[2].split()


def test_the_password_of_sudo_is_asked_on_the_terminal(pi: Pi) -> None:
    rule = "/etc/sudoers.d/010_pi-nopasswd"
    pi.root(f"echo pi:listen | chpasswd; adduser --quiet pi sudo; mv {rule} /root/rule")
    try:
        refused = pi.deploy("--status")
        assert "sudo asks for a password there" in refused.stderr
        output = at_a_terminal([*pi.command, "--status"], "password", "listen")
        assert pi.release in output, output
    finally:
        pi.root(f"mv /root/rule {rule}")


def test_a_removal_leaves_nothing(pi: Pi, fresh: tuple[set[str], str]) -> None:
    done = pi.deploy("--remove")
    assert done.returncode == 0, done.stderr
    assert pi.files() - fresh[0] == set()
    assert pi.packages() == fresh[1]
    assert "could not be found" in pi.machine.enter("systemctl", "status", layout.SERVICE).stderr
    assert pi.deploy("--remove").returncode == 0
    nothing = pi.deploy("--status")
    assert "inactive" in nothing.stdout


def test_an_offline_deployment_brings_everything_along(pi: Pi) -> None:
    apt = "DEBIAN_FRONTEND=noninteractive apt-get -qq --yes --no-install-recommends"
    pi.root(f"{apt} install python3-venv > /dev/null; {apt} install --download-only libportaudio2 > /dev/null")
    pi.root(NO_INTERNET)
    refused = pi.deploy("--device", "mic", "--offline")
    assert refused.returncode == 1
    assert "libportaudio2 must be installed already, because the deployment is offline" in refused.stderr
    pi.root(f"{apt} install --no-download libportaudio2 > /dev/null")
    refused = pi.deploy("--device", "mic")
    assert refused.returncode == 1
    assert "if that machine has no internet, use --offline" in refused.stderr
    assert "current" not in pi.root(f"ls -a {layout.HOME}")
    done = pi.deploy("--device", "mic", "--offline")
    assert done.returncode == 0, done.stderr
    assert re.search(r" listens: \w", done.stdout)


def test_edge_deploy_works_on_the_machine_itself(pi: Pi, second_model: Path) -> None:
    """The release contains the command, which packs the wheel from the installed files."""
    before = pi.pid
    assert "is up to date" in pi.here()
    pi.write("/tmp/my second.tflite", second_model.read_bytes())
    assert " listens: " in pi.here("--model", "'/tmp/my second.tflite'")
    assert (pi.pid, pi.status["model"]) == (before, "second")
    assert "second" in pi.here("--status")
    pi.here("--remove")
    assert pi.root(f"ls -d {layout.HOME}* {layout.UNIT} {layout.CONFIG} 2> /dev/null || true") == ""
