"""Whether every node of a cluster can run the trials of a search, asked before any runs."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from search.versions import versions_of
from trainable.buckets import is_url, opened, worded
from trainable.errors import ConfigError, expected, first_line

if TYPE_CHECKING:
    from search.cache_room import Room
    from search.plan import SearchPlan
    from trainable.data.decode import Size
    from trainable.data.prepared import PreparedData

ANSWER_S = 180  # a node that starts its first worker imports Ray for this
MARK_FOLDER = ".search-"
NUM_IMAGES = 20
# A trial's bits, and what a checkpoint means, depend on them.
NEEDED = ("torch", "torchvision", "timm", "albumentations", "torchmetrics", "adamp")


@dataclass(frozen=True)
class Places:
    """What each node must see as the machine does that the search runs on.

    Args:
        runs: A file in the folder of run folders, which has been made for this.
        images: Some images of the data; none where each node makes them for itself.
        url: One of them in a bucket, where nodes bring those from there which they do not have.
        weights: Files of pretrained weights.
        cache: Folder of decoded images, which each node may have for itself.
        versions: Packages and the versions that they have here.
        room: What is needed of the cache, where it is limited.
    """

    runs: Path
    images: tuple[Path, ...]
    weights: tuple[Path, ...]
    cache: Path
    versions: Mapping[str, str]
    room: "Room | None" = None
    url: str = ""


@dataclass(frozen=True)
class Answer:
    """What a node says.

    Args:
        problems: What is missing there, a line each.
        shares_runs: Whether it has the disk of the run folders.
    """

    problems: tuple[str, ...] = ()
    shares_runs: bool = True


def check_nodes_for_search(
    plan: "SearchPlan", nodes: Sequence[Mapping[str, Any]]
) -> tuple[str, ...]:
    """Ask every node that trials may run on for the images and weights of a search.

    Args:
        plan: The plan of the search.
        nodes: What Ray says of each node of the cluster that has been joined.

    Returns:
        What the user should know, a line each.

    Raises:
        ConfigError: With a line for each node that lacks something.
    """
    runs = plan.options.runs_dir.absolute()
    sizes = plan.check.sizes
    return check_nodes(nodes, runs=runs, data=plan.data, sizes=sizes, weights=_weights(plan))


def check_nodes(
    nodes: Sequence[Mapping[str, Any]],
    *,
    runs: Path,
    data: "PreparedData",
    sizes: Sequence["Size"],
    weights: tuple[Path, ...] = (),
) -> tuple[str, ...]:
    """Ask every node of a cluster for what training needs.

    Args:
        nodes: What Ray says of each.
        runs: Folder that is written to below, which need not exist yet.
        data: The images.
        sizes: Height and width of each size that they are needed at.
        weights: Files that training starts from.

    Returns:
        What the user should know, a line each.

    Raises:
        ConfigError: With a line for each node that lacks something.
    """
    from search.cache_room import Room

    images = _some_images(data)
    named = data.reworded(str(images[0]))
    url = named if is_url(named) else ""
    with _marked(runs) as mark:
        places = Places(
            runs=mark,
            images=() if data.made_anywhere and not url else images,
            weights=weights,
            cache=data.cache_dir,
            versions=installed(),
            room=Room.of(data, sizes),
            url=url,
        )
        names = [f"node {node['NodeManagerAddress']}" for node in nodes]
        answers = dict(zip(names, _answers(places, nodes), strict=True))
    problems = [f"{node}: {line}" for node, answer in answers.items() for line in answer.problems]
    if problems:
        raise ConfigError(problems)
    return tuple(
        f"{node}: has no {runs} in common with this machine; what its trials write is sent here."
        for node, answer in answers.items()
        if not answer.shares_runs
    )


def answer_here(places: Places) -> Answer:
    """Return what is missing on the machine that this runs on; a task of Ray on each node."""
    checks = (_packages, _run_folder, _files, _bucket, _cache)
    problems = tuple(problem for check in checks for problem in check(places))
    return Answer(problems, shares_runs=places.runs.is_file())


def installed() -> dict[str, str]:
    """Return the packages that must be the same everywhere, with their versions here."""
    found = versions_of(NEEDED)
    return {name: has.partition("+")[0] for name, has in found.items()}  # +cu130, +cpu may differ


def _packages(places: Places) -> Iterator[str]:
    here = installed()
    for name, wanted in places.versions.items():
        if here.get(name) != wanted:
            what = f"version {wanted}, which the search runs with"
            remedy = "Install the same dependencies on every node."
            yield expected(name, what, here.get(name, "none"), remedy)


def _run_folder(places: Places) -> Iterator[str]:
    folder = places.runs.parent.parent
    if places.runs.is_file() and (problem := _unwritable(places.runs.parent)):
        remedy = "Mount it so that the workers' user may write to it."
        yield expected("--runs-dir", "a folder to write to", f"{folder} ({problem})", remedy)


def _files(places: Places) -> Iterator[str]:
    remedy = "Keep data on storage that all nodes share, at the same path."
    for option, files, words in (
        ("--data", () if places.url else places.images, "images"),
        ("backbone/pretrained", places.weights, "weights"),
    ):
        missing = [file for file in files if not file.is_file()]
        if missing:
            got = f"no {missing[0]} ({len(missing)} of {len(files)} looked for are missing)"
            what = f"the same {words} as on the machine of the search"
            yield expected(option, what, got, remedy)


def _bucket(places: Places) -> Iterator[str]:
    """Yield why this machine cannot bring images that it does not have, by reading one byte."""
    if not places.url or all(image.is_file() for image in places.images):
        return
    try:
        system, path = opened(places.url)
        with worded(places.url, "an image of --data that this node can read"):
            system.cat_file(path, start=0, end=1)
    except ConfigError as error:
        yield from error.problems


def _cache(places: Places) -> Iterator[str]:
    if problem := _unwritable(places.cache):
        remedy = "Give --cache-dir a folder that each node can write to."
        got = f"{places.cache} ({problem})"
        yield expected("--cache-dir", "a folder to write to", got, remedy)
    elif places.room is not None:
        yield from places.room.problems(places.cache)


def _unwritable(folder: Path) -> str:
    """Return why nothing can be written to a folder, which is made where absent; "" if it can."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=MARK_FOLDER, dir=folder):
            return ""
    except OSError as error:
        return error.strerror or str(error)


@contextmanager
def _marked(runs: Path) -> Iterator[Path]:
    """Yield a file in the folder of run folders, or in the one above that exists already."""
    above = next(folder for folder in (runs, *runs.parents) if folder.exists())
    with TemporaryDirectory(prefix=MARK_FOLDER, dir=above) as folder:
        mark = Path(folder, "mark")
        mark.touch()
        yield mark


def _some_images(data: "PreparedData") -> tuple[Path, ...]:
    """Return images from all over the data, its first and last one among them."""
    paths = data.index.table["path"]
    step = max(1, (len(paths) - 1) // NUM_IMAGES)
    chosen = [*paths.iloc[::step], paths.iloc[-1]]
    return tuple(data.index.root / path for path in chosen)


def _weights(plan: "SearchPlan") -> tuple[Path, ...]:
    """Return the files of weights that trials may start from, but for the shipped and hub's."""
    if plan.resumes:
        return ()  # trials that go on have weights of their own
    from search.pretrained import backbones_of
    from trainable import pretrained

    backbones = backbones_of(plan.space, plan.check, plan.options.pins)
    files = {backbone.weights_file(plan.options.weights_dir) for backbone in backbones}
    shipped = Path(str(pretrained.__file__)).parent
    return tuple(sorted(file for file in files if file and not file.is_relative_to(shipped)))


def _answers(places: Places, nodes: Sequence[Mapping[str, Any]]) -> Iterator[Answer]:
    """Yield what each node answers, all asked at once."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    ask = ray.remote(num_cpus=0, max_retries=0)(answer_here)
    asked = [
        ask.options(
            scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        ).remote(places)
        for node in nodes
    ]
    yield from map(partial(_answer, ray), asked)


def _answer(ray: Any, asked: Any) -> Answer:  # noqa: ANN401  # Ray has no types
    try:
        answer: Answer = ray.get(asked, timeout=ANSWER_S)
    except ray.exceptions.GetTimeoutError:
        remedy = "`ray status` says how it is; take it out of the cluster or start it again."
        return Answer((expected("worker", f"an answer within {ANSWER_S} s", "none", remedy),))
    except (ray.exceptions.NodeDiedError, ray.exceptions.TaskUnschedulableError):
        return Answer()  # it has gone away, and trials do not get there
    except ray.exceptions.RayError as error:
        remedy = "Install the same dependencies on every node."
        return Answer((expected("worker", "to start", first_line(_cause(error)), remedy),))
    return answer


def _cause(error: Exception) -> Exception:
    return getattr(error, "cause", None) or error
