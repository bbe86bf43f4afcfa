"""The reason why a subprocess failed, as one sentence."""

from subprocess import CompletedProcess


def failure_reason(done: CompletedProcess[str], process: str = "the process") -> str:
    """Reason why a process failed: the last line that it wrote, or its exit status.

    Parameters
    ----------
    done
        Finished process with a return code other than 0, whose standard error was captured as text.
    process
        Name of the process, for a failure without any output.

    Examples
    --------
    >>> failure_reason(CompletedProcess(["x"], 1, stderr="warning: old\\nerror: x.tflite: not found\\n"))
    'x.tflite: not found'
    >>> failure_reason(CompletedProcess(["x"], -11, stderr=""))
    'the process crashed with signal 11'
    """
    if done.returncode < 0:
        return f"{process} crashed with signal {-done.returncode}"
    output = (done.stderr or "").strip() or (done.stdout or "").strip()
    if not output:
        return f"{process} failed with exit status {done.returncode} and without a message"
    return output.splitlines()[-1].strip().removeprefix("error: ")
