"""The capture process, without a microphone."""

from edge.audio.microphone.protocol import Message, OpenRequest
from edge.audio.microphone.supervisor import START_SECONDS, WorkerProcess


def first_message() -> Message | None:
    """Start a capture process, read its first message, and end it; None if it says nothing in START_SECONDS."""
    worker = WorkerProcess(OpenRequest("missing", None, 0.25))
    try:
        return worker.receive(START_SECONDS)
    finally:
        worker.kill()
