"""Wall and CPU time of the calls that a part receives, without a change to the part."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Spent:
    """Time in nanoseconds; `cpu_ns` is that of all threads of the process."""

    wall_ns: int = 0
    cpu_ns: int = 0

    def __sub__(self, other: "Spent") -> "Spent":
        return Spent(self.wall_ns - other.wall_ns, self.cpu_ns - other.cpu_ns)


class Stopwatch:
    """Adds up the time of all calls that it watches.

    A watched call's time lies inside that of a watched caller, on both clocks. Watching costs some 2 µs a call, so
    numbers are added up in place and become a Spent only when they are taken.
    """

    def __init__(self) -> None:
        self._wall_ns = 0
        self._cpu_ns = 0

    def timed(self, function: Callable[P, R]) -> Callable[P, R]:
        """The same function, watched."""

        def watched(*args: P.args, **kwargs: P.kwargs) -> R:
            wall, cpu = time.perf_counter_ns(), time.process_time_ns()
            try:
                return function(*args, **kwargs)
            finally:
                self._cpu_ns += time.process_time_ns() - cpu
                self._wall_ns += time.perf_counter_ns() - wall

        return watched

    def watch(self, part: object, *methods: str) -> None:
        """From now on, watch these methods of `part`, whoever calls them."""
        for name in methods:
            setattr(part, name, self.timed(getattr(part, name)))

    def take(self) -> Spent:
        """What was spent since the last take."""
        spent = Spent(self._wall_ns, self._cpu_ns)
        self._wall_ns = self._cpu_ns = 0
        return spent
