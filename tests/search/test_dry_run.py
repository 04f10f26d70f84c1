import pytest

from search.dry_run import images_and_people, num_combinations
from search.run import main
from search.space_check import check_space
from search.space_file import load_space


@pytest.fixture
def dry_run(space_file, coloured_folder, cache_dir, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "120")

    def run(*arguments):
        places = ["--runs-dir", tmp_path / "runs", "--cache-dir", cache_dir, "--name", "mine"]
        what = ["--space", space_file, "--data", coloured_folder, "--dry-run"]
        code = main([str(text) for text in (*what, *places, *arguments)])
        return code, capsys.readouterr()

    return run


def test_a_dry_run_prints_what_would_run_and_writes_nothing(dry_run, tmp_path):
    code, printed = dry_run("--time-budget", "1h30m", "--set", "ema=0.9")
    assert code == 0
    for text in (
        "float    0.001 to 0.1, log   always",
        "0.9 (--set)         never",
        "size 32x32: 90 images",
        "Would search for the highest val/f1 in 4 trials of at most 3 epochs, for 1 h 30 min,",
        "At epoch 1 one in 3 would go on.",
        f"Would write to {tmp_path / 'runs' / 'mine'}.",
    ):
        assert text in printed.out
    assert not (tmp_path / "runs").exists()


def test_a_dry_run_finds_what_cannot_be_built(dry_run):
    code, printed = dry_run("--set", "head/name=multi")
    assert code == 2
    assert printed.err.startswith("head/name: ")
    assert printed.err.count("\n") == 1


def test_images_and_people_of_each_class_are_counted(data):
    counts = images_and_people(data)
    assert list(counts.index) == ["blue", "green", "red"]
    assert counts[["train", "val", "test"]].sum(axis=1).tolist() == [30, 30, 30]
    assert counts["people"].tolist() == [30, 30, 30]


def test_combinations_count_choices_and_not_numbers(space_file):
    check = check_space(load_space(space_file), pins={}, max_epochs=3, seed=0)
    assert len(check.configs) == check.num_samples
    assert num_combinations(check) == 1


def test_a_dry_run_says_which_starts_come_first(dry_run, space_file):
    start = {"backbone/name": "test_efficientnet", "resize": "32x32", "optimizer/name": "adamw"}
    starts = [start | {"optimizer/lr": lr} for lr in (0.01, 0.02)]
    with space_file.open("a") as file:
        file.write(f"STARTS = {starts!r}\n")
    assert "The space's starts come first: 2.\n" in dry_run()[1].out
    fewer = dry_run("--trials", "1")[1].out
    assert "come first: 1 of 2, for as many trials as there are.\n" in fewer
    equal = dry_run("--set", "optimizer/lr=0.05")[1].out
    assert "come first: 1 of 2, as --set makes others equal.\n" in equal


def test_a_dry_run_says_which_share_of_a_gpu_is_known_to_be_needed(dry_run, monkeypatch):
    monkeypatch.setenv("SEARCH_SIMULATED_GPUS", "1x64MiB")
    shared = ("--gpus-per-trial", "auto", "--cpus-per-trial", "0.5")
    printed = dry_run(*shared)[1].out
    assert "at a time with 0.5 CPU and at least 0.25 GPU each, on this machine's" in printed
    assert "1 workload is measured as its first trial begins, with 1/4 of a GPU.\n" in printed


def test_a_dry_run_says_that_there_is_no_gpu_to_share(dry_run, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    code, printed = dry_run("--gpus-per-trial", "auto")
    assert code == 0
    assert (
        "--gpus-per-trial auto: this machine has no GPU to share, so trials run on" in printed.out
    )
    assert " with 1 CPU and 0 GPU each" in printed.out


def test_simulated_gpus_that_make_no_sense_are_one_line(dry_run, monkeypatch):
    monkeypatch.setenv("SEARCH_SIMULATED_GPUS", "many")
    code, printed = dry_run()
    assert code == 2
    assert printed.err.startswith("SEARCH_SIMULATED_GPUS: expected number x memory, such as ")
