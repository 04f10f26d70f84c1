"""The card of a bundle: what it is, how it was chosen, how good it is and on what."""

from collections.abc import Iterator, Mapping, Sequence

from analysis.formats.names import FORMATS, ONNX, SAFETENSORS, TORCH_EXPORT
from analysis.manifest import Manifest, MemberEntry, Score
from trainable.trial_folder import trial_id

HEADLINES = {"f1": "macro F1", "accuracy": "accuracy", "loss": "loss (nats)"}
PARTS = {
    "val": "validation",
    "crossfit": "cross-fitted",
    "oof": "out of fold",
    "test": "test",
}
WORDS = {
    "val": "The validation part also decided which trials and epochs were kept, so its scores "
    "flatter.",
    "crossfit": "Cross-fitted: members chosen on some of the validation people, scored on the "
    "others, in turn.",
    "oof": "Out of fold: everyone who is not in the test part, predicted by the networks that "
    "were trained without them; their best epochs were chosen on them, which flatters a little.",
    "test": "The test part decided nothing.",
    "interval": "In brackets: where the score lies with 90 % probability, by drawing the people "
    "again.",
}

IN_AND_OUT = (
    "It takes `images`, uint8 [number, height, width, 3] in RGB, any number of them, scaled and "
    "cut as in training, and gives `probabilities`, float32 [number, classes]; normalisation is "
    "inside. Of validation images it says what `model.safetensors` says to 1e-4."
)
FORMAT_WORDS = {
    SAFETENSORS: "No file here is a pickle, and reading one runs nothing that is in it. "
    "`model.safetensors` holds the weights of a member.",
    ONNX: f"`model.onnx` is a member for onnxruntime and other servers. {IN_AND_OUT} Add "
    "`--format onnx` to the command above to run these.",
    TORCH_EXPORT: f"`model.pt2` is a member for `torch.export.load`. {IN_AND_OUT} It is written "
    "without example images, which torch would pickle, but `torch.export.load` also unpickles "
    "and runs what others put into such a file: `--format torch-export` of the command above "
    "first refuses all but tensors and known operators, and without it no such file is read.",
}


def card_text(manifest: Manifest) -> str:
    """Return the card in Markdown."""
    classes = manifest.classes
    num_members = len(manifest.members)
    sections = [
        "# Image classifier",
        f"{_counted(num_members, 'network')} telling {len(classes)} classes apart: "
        f"{', '.join(classes)}. Made {manifest.created_at}.",
        "## How it was chosen",
        manifest.chosen,
        "## How good it is",
        _on_what(manifest),
        *_scores(manifest),
        *_attribute_section(manifest),
        "## Members",
        "\n".join(_member_table(manifest.members)),
        "## Use",
        "    python -m analysis.predict BUNDLE --images FOLDER --out predictions.csv",
        *(FORMAT_WORDS[name] for name in FORMATS if name in manifest.formats),
    ]
    return "\n\n".join(sections) + "\n"


def _counted(number: int, what: str) -> str:
    return f"One {what}" if number == 1 else f"The weighted average of {number} {what}s"


def _on_what(manifest: Manifest) -> str:
    data = manifest.data
    parts = [f"{part} {number} images" for part, number in data.num_images.items()]
    on_what = f"On `{data.source}` ({data.fingerprint}): {', '.join(parts)}."
    if data.num_people == data.num_images:
        return on_what
    people = [f"{number} in {part}" for part, number in data.num_people.items()]
    return f"{on_what} They show {', '.join(people)} people, none of them in two parts."


def _parts(manifest: Manifest) -> list[str]:
    """Return what the bundle was scored on."""
    scored = {name.partition("/")[0] for name in manifest.metrics}
    return [part for part in PARTS if part in scored]


def _words(manifest: Manifest) -> Iterator[str]:
    yield from (WORDS[part] for part in _parts(manifest))
    if any(score.interval for score in manifest.metrics.values()):
        yield WORDS["interval"]


def _header(first: str, parts: Sequence[str]) -> list[str]:
    names = [first, *(PARTS[part] for part in parts)]
    return [f"| {' | '.join(names)} |", "| --- " * len(names) + "|"]


def _scores(manifest: Manifest) -> tuple[str, ...]:
    if not _parts(manifest):
        return ("Not known: there was no image that it was not trained on.",)
    return _score_table(manifest), " ".join(_words(manifest))


def _score_table(manifest: Manifest) -> str:
    parts = _parts(manifest)
    lines = _header("", parts)
    for metric, words in HEADLINES.items():
        cells = [_cell(manifest.metrics, f"{part}/{metric}") for part in parts]
        lines.append(f"| {words} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(metrics: Mapping[str, Score], name: str) -> str:
    score = metrics.get(name)
    if score is None:
        return ""
    if score.interval is None:
        return f"{score.value:.4f}"
    low, high = score.interval
    return f"{score.value:.4f} ({low:.4f} to {high:.4f})"


def _attribute_section(manifest: Manifest) -> Iterator[str]:
    if not (manifest.attributes and _parts(manifest)):
        return
    parts = [part for part in _parts(manifest) if _has_attributes(manifest, part)]
    lines = _header("macro F1 of", parts)
    for name, attribute in manifest.attributes.items():
        for path in (name, *(f"{name}/{value}" for value in attribute.values)):
            cells = [_cell(manifest.metrics, f"{part}/f1/{path}") for part in parts]
            lines.append(f"| {path} | {' | '.join(cells)} |")
    yield "\n".join(lines)


def _has_attributes(manifest: Manifest, part: str) -> bool:
    return any(name.startswith(f"{part}/f1/") for name in manifest.metrics)


def _member_table(members: tuple[MemberEntry, ...]) -> Iterator[str]:
    parts = [p for p in PARTS if any(f"{p}/f1" in member.metrics for member in members)]
    header = ["folder", "run", "trial", "weight", "input", "trained on"]
    header += [f"{PARTS[part]} macro F1" for part in parts]
    yield f"| {' | '.join(header)} |"
    yield "| --- " * len(header) + "|"
    for member in members:
        size = f"{member.size[0]}x{member.size[1]}"
        trial = ", ".join(member.soup_of or [trial_id(member.trial)])
        trial = f"soup of {trial}" if member.soup_of else trial
        cells = [member.folder, member.run, trial, f"{member.weight:.3f}", size]
        cells.append(member.trained_on or "train")
        cells += [_cell(member.metrics, f"{part}/f1") for part in parts]
        yield f"| {' | '.join(cells)} |"
