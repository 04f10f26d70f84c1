"""From trials of a run to a bundle, checked on the way."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from analysis.bundle import CONFIG, WEIGHTS, new_bundle, seal
from analysis.card import card_text
from analysis.manifest import AttributeEntry, DataEntry, Manifest, MemberEntry, Score
from analysis.member import choose_device, load_member
from analysis.recorded import RecordedProbabilities, read_probabilities
from analysis.run_folder import RunFolder
from analysis.scoring import part_scores
from trainable.data.index import PARTS
from trainable.data.prepared import PreparedData, read_data
from trainable.errors import ConfigError, expected
from trainable.trial_folder import trial_id

# How far probabilities may be from the recorded ones: only the order of sums differs.
TOLERANCE = 1e-4
SCORED_PARTS = ("val", "test")


@dataclass(frozen=True)
class _Exported:
    """A member's entry, and its probabilities float32 [num_images, num_classes] by part."""

    entry: MemberEntry
    probabilities: dict[str, np.ndarray]


def export_trials(
    run: RunFolder, weights: Mapping[int, float], out: Path, *, chosen: str
) -> Manifest:
    """Write the bundle of some trials of a run and return its manifest.

    Every member is read back from the bundle and must reproduce the validation probabilities
    that were recorded in training. The test part is scored here, and decides nothing.

    Args:
        run: The run folder.
        weights: Share of each trial in the average, by number; they sum to 1.
        out: Folder of the bundle, new or empty.
        chosen: How the trials were chosen, a sentence.

    Raises:
        ConfigError: If a trial's files are missing or damaged, or do not reproduce what was
            recorded; nothing is left in ``out`` then.
    """
    data = read_data(run.path)
    with new_bundle(out) as folder:
        exported = [
            _export_trial(run, data, number, weight, folder / "members" / str(place))
            for place, (number, weight) in enumerate(weights.items())
        ]
        manifest = _manifest(data, exported, chosen)
        return seal(folder, manifest, card_text(manifest)).manifest


def _export_trial(
    run: RunFolder, data: PreparedData, number: int, weight: float, folder: Path
) -> _Exported:
    trial = run.trial_folder(number)
    folder.mkdir(parents=True)
    shutil.copyfile(trial.config, folder / CONFIG)
    shutil.copyfile(trial.best_weights, folder / WEIGHTS)
    labels = data.label_space
    member = load_member(folder / CONFIG, folder / WEIGHTS, labels, choose_device())
    images = data.images(member.config.resize)
    rows = {part: data.rows(part) for part in SCORED_PARTS}
    probabilities = {p: member.probabilities(images, rows[p]) for p in rows if len(rows[p])}
    recorded = read_probabilities(trial.probabilities, data)
    _check_reproduced(number, probabilities["val"], recorded, data)
    entry = MemberEntry(
        folder=f"members/{folder.name}",
        weight=weight,
        run=run.name,
        trial=number,
        size=member.config.resize,
        mean=member.mean,
        std=member.std,
        metrics=_scores(data, probabilities),
    )
    return _Exported(entry, probabilities)


def _check_reproduced(
    number: int,
    probabilities_NC: np.ndarray,
    recorded: RecordedProbabilities,
    data: PreparedData,
) -> None:
    differences_N = np.abs(probabilities_NC - recorded.probabilities).max(axis=1)
    worst = int(differences_N.argmax())
    if differences_N[worst] <= TOLERANCE:
        return
    image = data.index.table["path"].iloc[recorded.rows[worst]]
    raise ConfigError(
        expected(
            f"trial {trial_id(number)}",
            f"weights that reproduce the recorded validation probabilities to {TOLERANCE:g}",
            f"a difference of {differences_N[worst]:.2g} for {image}",
            "Weights, images or packages are not those of the search.",
        )
    )


def _manifest(data: PreparedData, exported: list[_Exported], chosen: str) -> Manifest:
    average = {
        part: np.sum([e.entry.weight * e.probabilities[part] for e in exported], axis=0)
        for part in exported[0].probabilities
    }
    attributes = {
        name: AttributeEntry(values=attribute.values, of_class=attribute.of_class)
        for name, attribute in data.label_space.attributes.items()
    }
    return Manifest(
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        chosen=chosen,
        data=_data_entry(data),
        classes=data.label_space.classes,
        attributes=attributes,
        members=tuple(e.entry for e in exported),
        metrics=_scores(data, average),
    )


def _data_entry(data: PreparedData) -> DataEntry:
    by_part = data.index.table.groupby("part")["person"]
    images, people = by_part.size(), by_part.nunique()
    return DataEntry(
        source=data.source,
        fingerprint=data.fingerprint,
        num_images={part: int(images.get(part, 0)) for part in PARTS},
        num_people={part: int(people.get(part, 0)) for part in PARTS},
    )


def _scores(data: PreparedData, probabilities: Mapping[str, np.ndarray]) -> dict[str, Score]:
    scores: dict[str, float] = {}
    for part, of_part in probabilities.items():
        scores |= part_scores(data, part, of_part)
    return {name: Score(value=value) for name, value in scores.items()}
