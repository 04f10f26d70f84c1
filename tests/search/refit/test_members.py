import pytest

from analysis.bundle import read_bundle
from analysis.run_folder import RunFolder
from search.refit.members import read_request
from trainable.errors import ConfigError


def test_without_names_the_ensemble_of_the_search_is_trained_again(run):
    request = read_request([run], [])
    entries = read_bundle(run.path / "ensemble").manifest.members
    assert request.bundle == run.path / "ensemble"
    assert [recipe.weight for recipe in request.recipes] == [entry.weight for entry in entries]
    sizes = sorted(len(recipe.ingredients) for recipe in request.recipes)
    assert sizes == [1, 1, 2]  # the trials, and the soup of both
    assert sorted(of.name for of in request.ingredients) == ["a/0000", "a/0001"]


def test_named_trials_are_weighted_equally(run):
    request = read_request([run], ["1", "0000"])
    assert [(r.ingredients[0].name, r.weight) for r in request.recipes] == [
        ("a/0001", 0.5),
        ("a/0000", 0.5),
    ]
    assert request.bundle is None


def test_a_trial_is_trained_by_its_curve_up_to_its_best_epoch(run):
    (of,) = read_request([run], ["0"]).ingredients
    curve = run.trials[0].intermediate_values
    best = run.trials[0].user_attrs["best_epoch"]
    assert of.values == tuple(curve[epoch] for epoch in range(1, best + 1))
    assert of.metric == "val/loss"
    assert of.config.seed == 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["7"], "trial 0007: expected a complete trial, or one that was stopped early, got no su"),
        (["0", "0000"], "--members: expected each trial once, got a/0000 again"),
        (["best"], "--members: expected trials such as 7, or the folder of a bundle, got 'best'"),
        (["b/0"], "--members: expected a trial of a, got b/0000. Give its run folder, too"),
    ],
)
def test_what_cannot_be_trained_again_is_named(run, given, message):
    with pytest.raises(ConfigError, match=message):
        read_request([run], given)


def test_a_bundle_stands_alone(run):
    bundle = str(run.path / "ensemble")
    with pytest.raises(ConfigError, match=r"--members: expected nothing beside .*ensemble, got 1"):
        read_request([run], [bundle, "1"])


def test_a_search_without_an_ensemble_needs_names(run, tmp_path):
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "run.json").write_text((run.path / "run.json").read_text())
    with pytest.raises(ConfigError, match="--members: expected an ensemble, or trials, got neith"):
        read_request([RunFolder(bare)], [])
