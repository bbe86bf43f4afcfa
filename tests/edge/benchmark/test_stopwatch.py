from edge.benchmark.stopwatch import Spent, Stopwatch


def test_a_stopwatch_sees_calls_that_an_object_makes_itself_and_starts_again_when_taken() -> None:
    class Part:
        def outer(self) -> int:
            return self.inner() + self.inner()

        def inner(self) -> int:
            return sum(range(1000))

    part, outer, inner = Part(), Stopwatch(), Stopwatch()
    inner.watch(part, "inner")
    outer.watch(part, "outer")
    assert part.outer() == 2 * sum(range(1000))
    of_outer, of_inner = outer.take(), inner.take()
    assert of_outer.wall >= of_inner.wall > 0
    assert of_outer.cpu >= of_inner.cpu
    assert outer.take() == inner.take() == Spent()
