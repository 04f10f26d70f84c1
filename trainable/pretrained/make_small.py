"""Makes the small pretrained start: a tiny backbone trained on other drawn people for a minute.

Other people than those of ``faces``, and other questions: whether someone wears glasses, has long
hair, has light hair, and which way the head is turned. Mask, gender and age are not told.

    python -m trainable.pretrained.make_small --out trainable/pretrained
"""

import hashlib
import os

# Threads that wait for each other cost more than they bring: read when torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from collections.abc import Mapping, Sequence
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
from trainable.data.faces.people import draw_person
from trainable.data.faces.shot import PHOTOS, draw_shot
from trainable.data.index import Attribute, DataIndex
from trainable.data.prepared import PreparedData, prepare_data
from trainable.files import write_json, written_aside
from trainable.trial import Trial

NAME = "small"
BACKBONE = "test_efficientnet"
PEOPLE_SEED = 1_000_003
NUM_PEOPLE, NUM_EPOCHS = 700, 12
SHARES = (0.9, 0.05, 0.05)
LONG_FROM_Y = 30.0
LIGHT_FROM = 130.0
QUESTIONS = {
    "glasses": ("without_glasses", "with_glasses"),
    "length": ("short_hair", "long_hair"),
    "tone": ("dark_hair", "light_hair"),
    "turn": ("to_the_left", "to_the_right"),
    "skin": ("dark_skin", "light_skin"),
    "cloth": ("dark_cloth", "light_cloth"),
    "collar": ("no_collar", "collar"),
    "hue": ("plain_hair", "vivid_hair"),
    "mask_tone": ("dark_mask", "light_mask"),
    "mask_hue": ("plain_mask", "vivid_mask"),
}
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
        data = questions_about_people(Path(folder), num_people=options.people)
        weights, scores = _train(data, Path(folder, "trial"), num_epochs=options.epochs)
    _write(options.out, weights, scores)
    return 0


def questions_about_people(cache_dir: Path, *, num_people: int) -> PreparedData:
    """Return other people than those of ``faces``, labelled with the answers to QUESTIONS.

    Args:
        cache_dir: Where the drawn photos are kept.
        num_people: Number of people.
    """
    data = prepare_data(
        f"faces:people={num_people},seed={PEOPLE_SEED}",
        cache_dir=cache_dir,
        seed=0,
        shares=SHARES,
    )
    classes = tuple("_".join(answers) for answers in _ANSWERS)
    attributes = {
        name: Attribute(values, tuple(values.index(answers[i]) for answers in _ANSWERS))
        for i, (name, values) in enumerate(QUESTIONS.items())
    }
    return replace(data, index=DataIndex(data.index.root, _asked(data), classes, attributes))


def _asked(data: PreparedData) -> pd.DataFrame:
    """Return the table with the answers in place of what it said of mask, gender and age."""
    table = data.index.table
    table = table[table["mask"] != "without"]
    answers = pd.DataFrame(
        [
            _answers(int(person), PHOTOS.index(Path(path).stem))
            for person, path in zip(table["person"], table["path"], strict=True)
        ]
    )
    label = answers[list(QUESTIONS)].agg("_".join, axis=1)
    return (
        table[["path", "person", "part"]]
        .reset_index(drop=True)
        .assign(label=label, **answers.to_dict("series"))
    )


def _answers(number: int, photo: int) -> dict[str, str]:
    person = draw_person(PEOPLE_SEED, number)
    shot = draw_shot(person, photo)
    length, mask = person.hair.style.length, shot.mask
    yes = {
        "glasses": person.outfit.glasses != "none",
        "length": length is not None and length > LONG_FROM_Y,
        "tone": _is_light(person.hair.color),
        "turn": shot.head.yaw > 0,
        "skin": _is_light(person.face.skin),
        "cloth": _is_light(person.outfit.cloth),
        "collar": person.outfit.neckline in ("shirt", "hoodie", "turtleneck"),
        "hue": max(person.hair.color) - min(person.hair.color) > 50,
        "mask_tone": mask is not None and _is_light(mask.color),
        "mask_hue": mask is not None and max(mask.color) - min(mask.color) > 50,
    }
    return {name: QUESTIONS[name][int(is_so)] for name, is_so in yes.items()}


def _is_light(color) -> bool:
    return sum(color) / 3 > LIGHT_FROM


def _config(num_epochs: int) -> TrialConfig:
    return parse_config(
        {
            "backbone/name": BACKBONE,
            "head/name": "multi",
            "resize": "64x48",
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
    """Return the backbone's weights of the best epoch in fp16, and how well it answers."""
    trial = Trial(_config(num_epochs), data, folder)
    while not trial.finished:
        row = trial.run_epoch()
        print(f"epoch {row['epoch']:.0f} of {num_epochs}: f1 {row['val/f1']:.3f}")
    scores = {name: round(row[f"val/f1/{name}"], 3) for name in QUESTIONS}
    weights = load_file(trial.folder.best_weights)
    trial.close()
    prefix = "backbone."
    return {
        name.removeprefix(prefix): value.half() if value.is_floating_point() else value
        for name, value in weights.items()
        if name.startswith(prefix)
    }, scores


def _write(folder: Path, weights: dict[str, Tensor], scores: Mapping[str, float]) -> None:
    content = save(weights)
    with written_aside(folder / f"{NAME}.safetensors") as aside:
        aside.write_bytes(content)
    about = {
        "backbone": BACKBONE,
        "trained_on": f"faces:people={NUM_PEOPLE},seed={PEOPLE_SEED}",
        "questions": {name: list(values) for name, values in QUESTIONS.items()},
        "f1": dict(scores),
        "dtype": "float16",
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    write_json(folder / f"{NAME}.json", about)
    print(f"{folder / NAME}.safetensors: {len(content) / 1000:.0f} kB")


if __name__ == "__main__":
    raise SystemExit(run_command(main))
