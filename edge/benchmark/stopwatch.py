"""What the calls that a part receives take, by two clocks, without a change to the part."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


Clock = Callable[[], int]


@dataclass(frozen=True)
class Spent:
    """What two clocks have counted, each in its own unit: nanoseconds, unless the stopwatch was given others."""

    wall: int = 0
    cpu: int = 0  # of all threads of the process

    def __sub__(self, other: "Spent") -> "Spent":
        return Spent(self.wall - other.wall, self.cpu - other.cpu)


class Stopwatch:
    """Adds up the time of all calls that it watches.

    A watched call's time lies inside that of a watched caller, on both clocks. Watching costs some 2 µs a call, so
    numbers are added up in place and become a Spent only when they are taken.
    """

    def __init__(self, wall: Clock = time.perf_counter_ns, cpu: Clock = time.process_time_ns) -> None:
        self._clocks = wall, cpu
        self._wall = self._cpu = 0

    def timed(self, function: Callable[P, R]) -> Callable[P, R]:
        """The same function, watched."""
        wall_clock, cpu_clock = self._clocks

        def watched(*args: P.args, **kwargs: P.kwargs) -> R:
            wall, cpu = wall_clock(), cpu_clock()
            try:
                return function(*args, **kwargs)
            finally:
                self._cpu += cpu_clock() - cpu
                self._wall += wall_clock() - wall

        return watched

    def watch(self, part: object, *methods: str) -> None:
        """From now on, watch these methods of `part`, whoever calls them."""
        for name in methods:
            setattr(part, name, self.timed(getattr(part, name)))

    def take(self) -> Spent:
        """What was spent since the last take."""
        spent = Spent(self._wall, self._cpu)
        self._wall = self._cpu = 0
        return spent
