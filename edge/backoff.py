"""Pauses between attempts, each twice as long as the one before."""


class Backoff:
    """Pauses in seconds: `first`, then twice as long each time, up to `longest`.

    Examples
    --------
    >>> backoff = Backoff(1.0, 3.0)
    >>> [backoff.next() for _ in range(3)]
    [1.0, 2.0, 3.0]
    """

    def __init__(self, first: float, longest: float) -> None:
        self._first, self._longest = first, longest
        self._pause = first

    def next(self) -> float:
        """The next pause in seconds."""
        pause = self._pause
        self._pause = min(2 * pause, self._longest)
        return pause

    def reset(self) -> None:
        """Start with the first pause again."""
        self._pause = self._first
