import os

from benchmarks.nodes import Work, search_command, span_s
from search.arguments import parse_arguments


def test_the_span_is_from_the_first_epochs_begin_to_the_last_ones_end(tmp_path):
    files = []
    for number, (end, seconds) in enumerate([(1_010, [4, 5]), (1_030, [3])]):
        file = tmp_path / f"{number}.csv"
        file.write_text("epoch,seconds\n" + "".join(f"1,{s}\n" for s in seconds))
        os.utime(file, (end, end))
        files.append(file)
    assert span_s(files) == 1_030 - (1_010 - 9)


def test_the_command_is_one_that_a_search_takes(tmp_path):
    _, _, _, *argv = search_command("127.0.0.1:1", tmp_path / "run", Work(3, 2, 1))
    given = parse_arguments(argv)
    assert given.values["name"] == "run"
