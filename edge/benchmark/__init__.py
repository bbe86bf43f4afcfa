"""Measure the cost of listening on this machine."""

SOURCE_RATE = 48_000  # Hz, the rate of USB microphones; it stands here because --help loads nothing else
