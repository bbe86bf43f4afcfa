from pathlib import Path

import pytest
from helpers.support import Run, floats, one_sentence
from hypothesis import given
from hypothesis import strategies as st

from edge.config import Config, History, Mqtt, Prometheus, load_config, read_config
from edge.errors import UsageError

FULL = """
device = "usb:046d:0825"
channel = 1
wait = true
model = "/srv/model.tflite"
hop = 1
threads = 2
raw = true
json = true
top-k = 5
duration = 60.5
rate = 16000
channels = 2
bits = 32

[mqtt]
host = "broker"
port = 1884
name = "kitchen"
topic = "music"
discovery = ""
username = "pi"
password-file = "/etc/password"
tls = true
ca-file = "/etc/ca.pem"

[prometheus]
port = 9000
address = "0.0.0.0"

[history]
file = "/var/lib/edge-listen/history.db"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "listen.toml"
    path.write_text(FULL)
    return path


def test_the_file_can_set_every_option(file: Path) -> None:
    config = load_config(file, {})
    assert config.hop == 1.0
    assert config.mqtt == Mqtt("broker", 1884, "kitchen", "music", "", "pi", "/etc/password", True, "/etc/ca.pem")
    assert config.prometheus == Prometheus(9000, "0.0.0.0")
    assert config.history == History("/var/lib/edge-listen/history.db")
    assert not {name for name, default in vars(Config()).items() if getattr(config, name) == default}


def test_the_command_line_precedes_the_file_which_precedes_the_defaults(file: Path) -> None:
    file.write_text("hop = 1.0\ntop-k = 5\n")
    config = load_config(file, {"hop": 2.0})
    assert (config.hop, config.top_k, config.threads) == (2.0, 5, Config().threads)


def test_an_option_leaves_the_other_keys_of_its_table(file: Path) -> None:
    assert load_config(file, {"mqtt": {"host": "other"}}).mqtt == Mqtt(
        "other", 1884, "kitchen", "music", "", "pi", "/etc/password", True, "/etc/ca.pem"
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("devise = 'mic'", "devise: unknown key; the most similar one is 'device'"),
        ("top_k = 3", "top_k: unknown key; the most similar one is 'top-k'"),
        (
            "[mqtt]\nhost = 'a'\npasword-file = 'x'",
            "mqtt.pasword-file: unknown key; the most similar one is 'password-file'",
        ),
        ("[mqt]\nhost = 'a'", "mqt: unknown key; the most similar one is 'mqtt'"),
        ("[mqtt]\nport = 1883", "mqtt.host is missing"),
        ("[mqtt]\nhost = 'a'\nport = 70000", "mqtt.port 70000: must be from 1 to 65535"),
        ("[mqtt]\nhost = 'a'\ntopic = 'a/#'", "can't be part of an MQTT topic"),
        ("[history]\nfile = 3", "history.file must be text, got 3"),
        ("history = 'file.db'", "history must be a table of keys, got 'file.db'"),
        ("hop = nan", "hop must be a number, got nan"),
        ("hop = '1'", "hop must be a number, got '1'"),
        ("wait = 1", "wait must be true or false, got 1"),
        ("threads = 0", "threads 0: must be from 1 to 64"),
        ("channel = 0", "channel 0: must be from 1 to 1024"),
        ("bits = 24", "bits 24: must be 16 or 32"),
        ("hop = ", "Invalid value"),
        ('device = "a\\u0000b"', "device contains a NUL character: 'a\\x00b'"),
    ],
)
def test_a_mistake_in_the_file_is_named_in_one_sentence(file: Path, text: str, sentence: str) -> None:
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        load_config(file, {})
    assert str(caught.value).startswith(f"{file}: ")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_mistake_in_the_file_is_status_2(file: Path, run: Run) -> None:
    file.write_text("hop = 0")
    done = run("edge.cli.listen", "--config", file, "--demo")
    assert done.returncode == 2
    assert one_sentence(done) == f"error: {file}: hop 0: must be above 0 and at most 60 s\n"


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_config(tmp_path / "none.toml")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_configuration_or_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(content)
    try:
        assert isinstance(load_config(path, {}), Config)
    except UsageError as error:
        assert "any.toml" in str(error)


KEYS = st.sampled_from(["device", "hop", "top-k", "mqtt", "history", "prometheus", "host", "port", "file", "bits", "x"])
VALUES = st.recursive(
    st.one_of(st.booleans(), st.integers(), floats(), st.text("ab\\\"'#\x7f", max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=6,
)


@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_any_values_are_a_configuration_or_one_sentence(options: dict[str, object]) -> None:
    try:
        assert isinstance(load_config(None, options), Config)
    except UsageError as error:
        assert str(error)
