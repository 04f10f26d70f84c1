"""Makes the small pretrained start: a tiny backbone trained on other drawn people for a minute.

Other people than those of ``faces``, and other questions: glasses, hair, skin, brows, lips, and
the colour of the mask. Photos without a mask are left out, so that even the colour of a mask says
nothing of how it is worn; gender and age are not told either.

    python -m trainable.pretrained.make_small --out trainable/pretrained
"""

import hashlib
import os

# Threads that wait for each other cost more than they bring; read when torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import torch
from safetensors.torch import load_file, save
from torch import Tensor

from trainable.command import ArgumentParser, positive_whole_number, run_command
from trainable.config import TrialConfig, parse_config
from trainable.data.faces.colors import Color
from trainable.data.faces.people import draw_person
from trainable.data.faces.shot import PHOTOS, draw_shot
from trainable.data.index import Attribute, DataIndex
from trainable.data.prepared import PreparedData, prepare_data
from trainable.files import write_json, written_aside
from trainable.trial import Trial

NAME = "small"
BACKBONE = "test_efficientnet"
SIZE = (64, 48)
PEOPLE_SEED = 1_000_003
NUM_PEOPLE, NUM_EPOCHS = 700, 12
SHARES = (0.9, 0.05, 0.05)
QUESTIONS = {
    "glasses": ("without_glasses", "glasses"),
    "length": ("short_hair", "long_hair"),
    "tone": ("dark_hair", "light_hair"),
    "hue": ("colourless_hair", "coloured_hair"),
    "skin": ("dark_skin", "fair_skin"),
    "brows": ("thin_brows", "thick_brows"),
    "lips": ("thin_lips", "full_lips"),
    "mask_tone": ("dark_mask", "light_mask"),
    "mask_hue": ("colourless_mask", "coloured_mask"),
}
LONG_FROM_Y, THICK_BROWS, FULL_LIPS = 30.0, 3.6, 4.6
LIGHT, COLOURED = 130.0, 50.0
_ANSWERS = tuple(product(*QUESTIONS.values()))


def main(argv: Sequence[str] | None = None) -> int:
    """Draw, train, and write small.safetensors and small.json."""
    parser = ArgumentParser("python -m trainable.pretrained.make_small", __doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    for name, default in (("people", NUM_PEOPLE), ("epochs", NUM_EPOCHS)):
        number = f"number of {name} (default: {default})"
        parser.add_argument(f"--{name}", type=positive_whole_number, default=default, help=number)
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    with TemporaryDirectory() as folder:
        data = questioned_people(Path(folder), num_people=options.people)
        weights, scores = _train(data, Path(folder, "trial"), num_epochs=options.epochs)
    _write(options.out, weights, {"people": options.people, "f1": scores})
    return 0


def questioned_people(cache_dir: Path, *, num_people: int) -> PreparedData:
    """Return other people than those of ``faces``, labelled with the answers to QUESTIONS.

    Args:
        cache_dir: Where the photos are kept.
        num_people: Number of people.

    Returns:
        Data whose classes are all combinations of answers; photos without a mask are in no part.
    """
    source = f"faces:people={num_people},seed={PEOPLE_SEED}"
    data = prepare_data(source, cache_dir=cache_dir, seed=0, shares=SHARES)
    data.images(SIZE)  # decoded under the photos' own labels, which the cache checks
    attributes = {
        name: Attribute(values, tuple(values.index(answers[i]) for answers in _ANSWERS))
        for i, (name, values) in enumerate(QUESTIONS.items())
    }
    index = DataIndex(data.index.root, _answered(data), tuple(map(_label, _ANSWERS)), attributes)
    return replace(data, index=index)


def _answered(data: PreparedData) -> pd.DataFrame:
    """Return the table with the answers in place of what it said of mask, gender and age."""
    table = data.index.table
    photos = zip(table["person"], table["path"], strict=True)
    answers = [_answers(int(who), PHOTOS.index(Path(path).stem)) for who, path in photos]
    return table[["path", "person"]].assign(
        part=table["part"].where(table["mask"] != "without", ""),
        label=[_label(a) for a in answers],
        **{name: [a[i] for a in answers] for i, name in enumerate(QUESTIONS)},
    )


def _label(answers: Sequence[str]) -> str:
    return " ".join(answers)


def _answers(number: int, photo: int) -> tuple[str, ...]:
    """Return the answer to each question about a photo of a person."""
    person = draw_person(PEOPLE_SEED, number)
    length, mask = person.hair.style.length, draw_shot(person, photo).mask
    yes = {
        "glasses": person.outfit.glasses != "none",
        "length": length is not None and length > LONG_FROM_Y,
        "tone": _is_light(person.hair.color),
        "hue": _is_coloured(person.hair.color),
        "skin": _is_light(person.face.skin),
        "brows": person.face.brow_width > THICK_BROWS,
        "lips": person.face.lip_fullness > FULL_LIPS,
        "mask_tone": mask is not None and _is_light(mask.color),
        "mask_hue": mask is not None and _is_coloured(mask.color),
    }
    return tuple(values[int(yes[name])] for name, values in QUESTIONS.items())


def _is_light(color: Color) -> bool:
    return sum(color) / len(color) > LIGHT


def _is_coloured(color: Color) -> bool:
    return max(color) - min(color) > COLOURED


def _config(num_epochs: int) -> TrialConfig:
    return parse_config(
        {
            "backbone/name": BACKBONE,
            "head/name": "multi",
            "resize": list(SIZE),
            "optimizer/name": "adamw",
            "optimizer/lr": 0.01,
            "schedule/name": "cosine",
            "schedule/warmup": 0.15,
            "epochs": num_epochs,
        }
    )


def _train(
    data: PreparedData, folder: Path, *, num_epochs: int
) -> tuple[dict[str, Tensor], dict[str, float]]:
    """Return the backbone's weights of the best epoch in fp16, and the last F1 by question."""
    trial = Trial(_config(num_epochs), data, folder)
    while not trial.finished:
        row = trial.run_epoch()
        scores = {name: round(row[f"val/f1/{name}"], 3) for name in QUESTIONS}
        print(
            f"epoch {row['epoch']:.0f} of {num_epochs}:",
            *map("{} {}".format, scores, scores.values()),
        )
    weights = load_file(trial.folder.best_weights)
    trial.close()
    prefix = "backbone."
    backbone = {n.removeprefix(prefix): w for n, w in weights.items() if n.startswith(prefix)}
    halved = {n: w.half() if w.is_floating_point() else w for n, w in backbone.items()}
    return halved, scores


def _write(folder: Path, weights: dict[str, Tensor], about: dict[str, object]) -> None:
    content = save(weights)
    with written_aside(folder / f"{NAME}.safetensors") as aside:
        aside.write_bytes(content)
    file = {"dtype": "float16", "sha256": hashlib.sha256(content).hexdigest()}
    questions = {name: list(values) for name, values in QUESTIONS.items()}
    start = {"backbone": BACKBONE, "people_seed": PEOPLE_SEED, "questions": questions}
    write_json(folder / f"{NAME}.json", start | about | file)
    print(f"{folder / NAME}.safetensors: {len(content) / 1000:.0f} kB")


if __name__ == "__main__":
    raise SystemExit(run_command(main))
