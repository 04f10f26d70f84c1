"""From trials and soups to a bundle, checked on the way."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

from analysis.bundle import WEIGHTS, new_bundle, seal
from analysis.candidate import Candidate, trial_candidate
from analysis.card import card_text
from analysis.formats.names import SAFETENSORS, FormatName
from analysis.formats.writing import NUM_CHECKED, Said, check_formats, write_formats
from analysis.manifest import CONFIG, AttributeEntry, DataEntry, Manifest, MemberEntry, Score
from analysis.member import Member, choose_device, load_member
from analysis.run_folder import RunFolder
from analysis.scoring import Scoring
from trainable.data.index import PARTS
from trainable.data.prepared import PreparedData, read_data
from trainable.errors import ConfigError, expected

# How far probabilities may be from the recorded ones: only the order of sums differs.
TOLERANCE = 1e-4
SCORED_PARTS = ("val", "test")

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
    run: RunFolder,
    weights: Mapping[int, float],
    out: Path,
    *,
    chosen: str,
    formats: Sequence[FormatName] = (SAFETENSORS,),
) -> Manifest:
    """Write the bundle of some trials of a run and return its manifest.

    Args:
        run: The run folder.
        weights: Share of each trial in the average, by number; they sum to 1.
        out: Folder of the bundle, new or empty.
        chosen: How the trials were chosen, a sentence.
        formats: What each is written as.

    Raises:
        ConfigError: As ``export_members``.
    """
    data = read_data(run.path)
    members = [(trial_candidate(run, n, data), weight) for n, weight in weights.items()]
    return export_members(data, members, out, chosen=chosen, formats=formats).manifest


def export_members(
    data: PreparedData,
    members: Sequence[tuple[Candidate, float]],
    out: Path,
    *,
    chosen: str,
    metrics: Mapping[str, Score] | None = None,
    formats: Sequence[FormatName] = (SAFETENSORS,),
) -> Exported:
    """Write the bundle of some candidates, of one run or of several with the same data.

    Every member is read back from the bundle and must reproduce the probabilities that were
    recorded in training, of the images that it was validated on; in other formats it must say the
    same as in safetensors. The test part is scored here, and decides nothing.

    Args:
        data: What they were trained on.
        members: Candidates and their shares in the average, which sum to 1.
        out: Folder of the bundle, new or empty.
        chosen: How they were chosen, a sentence.
        metrics: Further scores of the average, such as ``crossfit/f1``.
        formats: What each is written as, safetensors among them.

    Raises:
        ConfigError: If a member's files are missing or damaged, or do not reproduce what was
            recorded, or it cannot be written in a format; nothing is left in ``out`` then.
    """
    scoring = Scoring(data)
    with new_bundle(out) as folder:
        entries, of_members = [], []
        for place, (candidate, weight) in enumerate(members):
            at = folder / "members" / str(place)
            member, probabilities = _export_member(data, candidate, at)
            _write_formats(data, candidate, at, formats)
            scores = scoring.scores(probabilities)
            entry = _entry(candidate, member, weight, f"members/{place}", scores)
            entries.append(entry.model_copy(update={"formats": tuple(formats)}))
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
    if candidate.held_out is None:
        _check_reproduced(candidate, probabilities["val"], data.rows("val"), data)
    elif len(candidate.held_out):
        of_held_out = member.probabilities(data.images(member.config.resize), candidate.held_out)
        _check_reproduced(candidate, of_held_out, candidate.held_out, data)
    return member, probabilities


def _write_formats(
    data: PreparedData, candidate: Candidate, folder: Path, formats: Sequence[FormatName]
) -> None:
    """Write a member in further formats and check them on images that are spread over all."""
    if set(formats) == {SAFETENSORS}:
        return
    cpu = torch.device("cpu")  # what is written there runs everywhere
    member = load_member(folder / CONFIG, folder / WEIGHTS, data.label_space, cpu)
    some = np.linspace(0, len(data.index) - 1, NUM_CHECKED).round().astype(int)
    images_NHWC = np.asarray(data.images(member.config.resize)[some])
    said = Said(images_NHWC, member.probabilities(images_NHWC, np.arange(NUM_CHECKED)))
    write_formats(member, data.label_space.classes, folder, formats)
    check_formats(folder, formats, said, candidate.name)


def _check_reproduced(
    candidate: Candidate, probabilities_NC: np.ndarray, rows_N: np.ndarray, data: PreparedData
) -> None:
    differences_N = np.abs(probabilities_NC - candidate.probabilities).max(axis=1)
    worst = int(differences_N.argmax())
    if differences_N[worst] <= TOLERANCE:
        return
    image = data.index.table["path"].iloc[rows_N[worst]]
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
        trained_on=candidate.trained_on,
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
