"""From trials and soups to a bundle, checked on the way."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from analysis.bundle import CONFIG, WEIGHTS, new_bundle, seal
from analysis.candidate import Candidate, trial_candidate
from analysis.card import card_text
from analysis.estimates.interval import Resamples
from analysis.estimates.labelled import Labelled
from analysis.manifest import AttributeEntry, DataEntry, Manifest, MemberEntry, Score
from analysis.member import Member, choose_device, load_member
from analysis.run_folder import RunFolder
from analysis.scoring import part_scores
from trainable.data.index import PARTS
from trainable.data.prepared import PreparedData, read_data
from trainable.errors import ConfigError, expected

# How far probabilities may be from the recorded ones: only the order of sums differs.
TOLERANCE = 1e-4
SCORED_PARTS = ("val", "test")
# There may be a hundred of them, of a few people each: their intervals would tell nothing.
OF_CLASSES = "class_f1/"

# float32 [num_images, num_classes] by part.
PartProbabilities = dict[str, np.ndarray]


@dataclass(frozen=True)
class Exported:
    """A bundle that was written, and what it says of the images of its data.

    Args:
        manifest: What it holds.
        average: Its probabilities.
        of_members: Those of each member.
    """

    manifest: Manifest
    average: PartProbabilities
    of_members: tuple[PartProbabilities, ...]


def export_trials(
    run: RunFolder, weights: Mapping[int, float], out: Path, *, chosen: str
) -> Manifest:
    """Write the bundle of some trials of a run and return its manifest.

    Args:
        run: The run folder.
        weights: Share of each trial in the average, by number; they sum to 1.
        out: Folder of the bundle, new or empty.
        chosen: How the trials were chosen, a sentence.

    Raises:
        ConfigError: As ``export_members``.
    """
    data = read_data(run.path)
    members = [(trial_candidate(run, n, data), weight) for n, weight in weights.items()]
    return export_members(data, members, out, chosen=chosen).manifest


def export_members(
    data: PreparedData,
    members: Sequence[tuple[Candidate, float]],
    out: Path,
    *,
    chosen: str,
    metrics: Mapping[str, Score] | None = None,
) -> Exported:
    """Write the bundle of some candidates, of one run or of several with the same data.

    Every member is read back from the bundle and must reproduce the validation probabilities
    that were recorded in training. The test part is scored here, and decides nothing.

    Args:
        data: What they were trained on.
        members: Candidates and their shares in the average, which sum to 1.
        out: Folder of the bundle, new or empty.
        chosen: How they were chosen, a sentence.
        metrics: Further scores of the average, such as ``crossfit/f1``.

    Raises:
        ConfigError: If a member's files are missing or damaged, or do not reproduce what was
            recorded; nothing is left in ``out`` then.
    """
    scoring = _Scoring(data)
    with new_bundle(out) as folder:
        entries, of_members = [], []
        for place, (candidate, weight) in enumerate(members):
            at = folder / "members" / str(place)
            member, probabilities = _export_member(data, candidate, at)
            scores = scoring.scores(probabilities)
            entries.append(_entry(candidate, member, weight, f"members/{place}", scores))
            of_members.append(probabilities)
        average = _average(of_members, [weight for _, weight in members])
        scores = scoring.scores(average) | dict(metrics or {})
        manifest = _manifest(data, entries, scores, chosen)
        sealed = seal(folder, manifest, card_text(manifest)).manifest
    return Exported(sealed, average, tuple(of_members))


def part_probabilities(data: PreparedData, member: Member) -> PartProbabilities:
    """Return what a network says of the images of every part that is scored and not empty."""
    images = data.images(member.config.resize)
    rows = {part: data.rows(part) for part in SCORED_PARTS}
    return {part: member.probabilities(images, rows[part]) for part in rows if len(rows[part])}


def _export_member(
    data: PreparedData, candidate: Candidate, folder: Path
) -> tuple[Member, PartProbabilities]:
    folder.mkdir(parents=True)
    shutil.copyfile(candidate.config_file, folder / CONFIG)
    shutil.copyfile(candidate.weights(), folder / WEIGHTS)
    files = (folder / CONFIG, folder / WEIGHTS)
    member = load_member(*files, data.label_space, choose_device())
    probabilities = part_probabilities(data, member)
    _check_reproduced(candidate, probabilities["val"], data)
    return member, probabilities


def _check_reproduced(
    candidate: Candidate, probabilities_NC: np.ndarray, data: PreparedData
) -> None:
    differences_N = np.abs(probabilities_NC - candidate.probabilities).max(axis=1)
    worst = int(differences_N.argmax())
    if differences_N[worst] <= TOLERANCE:
        return
    image = data.index.table["path"].iloc[data.rows("val")[worst]]
    raise ConfigError(
        expected(
            f"trial {candidate.name}",
            f"weights that reproduce the recorded validation probabilities to {TOLERANCE:g}",
            f"a difference of {differences_N[worst]:.2g} for {image}",
            "Weights, images or packages are not those of the search.",
        )
    )


def _average(
    of_members: Sequence[PartProbabilities], weights: Sequence[float]
) -> PartProbabilities:
    """Return the weighted average; summed member by member as the predictor does."""
    return {
        part: np.sum(
            [weight * of[part] for of, weight in zip(of_members, weights, strict=True)], axis=0
        )
        for part in of_members[0]
    }


def _entry(
    candidate: Candidate, member: Member, weight: float, folder: str, scores: dict[str, Score]
) -> MemberEntry:
    return MemberEntry(
        folder=folder,
        weight=weight,
        run=candidate.run,
        trial=candidate.trial,
        size=member.config.resize,
        mean=member.mean,
        std=member.std,
        metrics=scores,
        soup_of=candidate.soup_of or None,
    )


def _manifest(
    data: PreparedData, entries: Sequence[MemberEntry], scores: dict[str, Score], chosen: str
) -> Manifest:
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
        members=tuple(entries),
        metrics=scores,
    )


def _data_entry(data: PreparedData) -> DataEntry:
    by_part = data.index.table.groupby("part")["person"]
    images, people = by_part.size(), by_part.nunique()
    return DataEntry(
        source=data.source,
        fingerprint=data.fingerprint,
        num_images={part: int(images.get(part, 0)) for part in PARTS},
        num_people={part: int(people.get(part, 0)) for part in PARTS},
        crop=data.crop,
    )


class _Scoring:
    """Every metric of the scored parts, with intervals from the same resamples of people."""

    def __init__(self, data: PreparedData) -> None:
        self._data = data
        self._resamples = {p: Resamples(Labelled.of(data, p)) for p in SCORED_PARTS}

    def scores(self, probabilities: PartProbabilities) -> dict[str, Score]:
        return {
            name: Score(value=value, interval=self._interval(part, name, of_part))
            for part, of_part in probabilities.items()
            for name, value in part_scores(self._data, part, of_part).items()
        }

    def _interval(
        self, part: str, name: str, probabilities_NC: np.ndarray
    ) -> tuple[float, float] | None:
        metric = name.removeprefix(f"{part}/")
        if metric.startswith(OF_CLASSES):
            return None
        return self._resamples[part].interval(metric, probabilities_NC)
