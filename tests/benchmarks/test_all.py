import pandas as pd
import pytest

from benchmarks import all as all_benchmarks
from benchmarks.all import BENCHMARKS, Outcome, how, outcome_of, results, results_table, write
from benchmarks.side_by_side import COLUMNS, in_turns, row


def table(**changes):
    cells = {
        "what": "a search",
        "against": "a tutorial",
        "ratio": 3.14159,
        "low": 2.5,
        "high": 112.6,
        "goal": "3 x",
        "met": True,
    }
    return pd.DataFrame([cells | changes], columns=list(COLUMNS))


def test_a_row_has_ratio_range_and_whether_the_goal_is_met():
    lines = results_table([Outcome("whole_search", table(), "", 60.0)]).splitlines()
    assert lines[0] == "| what | against | ratio | range | goal | met |"
    assert lines[2:] == ["| a search | a tutorial | 3.14 x | 2.50 to 113 | 3 x | yes |"]


def test_a_goal_that_is_missed_stands_out():
    missed = table(met=False, ratio=0.5)
    assert "| 0.50 x | 2.50 to 113 | 3 x | **no** |" in results_table(
        [Outcome("driver", missed, "", 1.0)]
    )


def test_a_benchmark_that_failed_has_a_row_and_the_others_have_theirs():
    failed = Outcome("driver", table().iloc[:0], "exit code 1", 1.0)
    lines = results_table([failed, Outcome("nodes", table(), "", 1.0)]).splitlines()
    assert lines[2] == "| `driver` | | FAILED | exit code 1 | | no |"
    assert lines[3].startswith("| a search |")


def test_results_say_of_each_benchmark_how_it_is_measured_and_the_command():
    text = results([Outcome("nodes", table(), "", 90.0)], ["2 cores"])
    [line] = [line for line in text.splitlines() if line.startswith("- **nodes**")]
    assert "(1.5 min, `python -m benchmarks.nodes`): The same random configurations" in line
    assert "- 2 cores" in text


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_says_how_it_measures(name):
    assert len(how(name)) > 100


def test_a_benchmark_that_raises_is_kept_as_failed(monkeypatch, capfd):
    outcome = outcome_of("no_such_benchmark", quick=True)
    assert outcome.problem.startswith("exit code")
    assert outcome.rows.empty
    assert capfd.readouterr().err


def test_nothing_of_the_host_is_written():
    import platform

    assert platform.node() not in "\n".join(all_benchmarks.machine_lines())


def test_a_row_is_the_median_of_the_ratios_with_the_least_and_the_largest():
    [cells] = row("a", "b", [(6, 2), (8, 2), (9, 1)], goal="5 x", at_least=5).to_dict("records")
    assert (cells["ratio"], cells["low"], cells["high"]) == (4.0, 3.0, 9.0)
    assert not cells["met"]


def test_a_ratio_alone_does_not_meet_a_goal_that_asks_for_more():
    slow = row("a", "b", [(6, 2)], goal="2 x, under a second", at_least=2, also_met=False)
    assert not slow["met"].item()


def test_sides_take_turns_and_change_who_is_first():
    calls = []

    def side(name, took):
        calls.append(name)
        return took

    pairs = in_turns(lambda: side("ours", 1.0), lambda: side("theirs", 2.0), repeats=2)
    assert calls == ["theirs", "ours", "ours", "theirs"]
    assert pairs == [(2.0, 1.0), (2.0, 1.0)]


def test_one_that_is_run_again_takes_the_place_of_its_last_outcome_alone(tmp_path):
    file = tmp_path / "RESULTS.md"
    outcomes = [
        Outcome("nodes", table(what="two nodes"), "", 60.0, "2026-01-01"),
        Outcome("driver", table().iloc[:0], "exit code 1", 1.0, "2026-01-01"),
        Outcome("driver", table(what="the driver", ratio=1.5), "", 30.0, "2026-01-02"),
    ]
    for outcome in outcomes:
        write(outcome, ["2 cores"], file)
    lines = file.read_text().splitlines()
    rows = [line.split(" | ")[:3] for line in lines if line.startswith("| t")]
    assert rows == [
        ["| the driver", "a tutorial", "1.50 x"],
        ["| two nodes", "a tutorial", "3.14 x"],
    ]
    assert [line.split(", ")[0] for line in lines if line.startswith("- **")] == [
        "- **driver** (2026-01-02",
        "- **nodes** (2026-01-01",
    ]
