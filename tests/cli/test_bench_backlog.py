"""The benchmark of a backlog says how much of what it measures is chance."""

from __future__ import annotations

from cli import bench
from cli.bench import Figures
from cli.bench_backlog import Watched, of_talks

HUNDRED = [number / 1000 for number in range(100)]  # seconds; so its percentiles are their own names


def test_growth_is_told_beside_both_idle_times():
    """The p99 of one idle time is ten answers: a lucky one makes everything else look slow."""
    slow, quick = Figures(latencies=[0.2] * 100), Figures(latencies=[0.1] * 100)

    of = of_talks({"idle": quick, "sending": slow, "idle_again": slow})

    assert (of["idle"]["p99_growth"], of["sending"]["p99_growth"]) == (-0.5, 0.0)
    assert of["sending"]["answers"] == 100


def test_a_percentile_has_the_ranks_between_which_chance_moves_it():
    few, many = Figures(latencies=HUNDRED), Figures(latencies=HUNDRED * 100)

    assert few.likely(0.9) == (84, 95)
    assert many.likely(0.9) == (89, 90)


def test_newcomers_do_not_begin_in_step_and_begin_alike_in_every_phase():
    """In step, each case was opened in the very moment of another, and one waited for the other's number."""
    begins = bench.begins(50, pause=0.8)

    assert begins == bench.begins(50, pause=0.8)
    assert all(number * 0.8 <= at < (number + 1) * 0.8 for number, at in enumerate(begins))
    assert len({round(at % 0.2, 2) for at in begins}) > 10


def test_what_is_too_late_is_off_at_the_first_look_after_it_fell_due():
    """Before that nothing is due, and no look may be taken for the end of the work."""
    watched = Watched(fell_due=10.0, late=[(5.0, 0), (15.0, 1), (20.0, 0), (25.0, 0)])

    assert watched.late_off_after() == 10.0
