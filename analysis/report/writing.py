"""From a run folder to the report's file."""

from collections.abc import Callable
from pathlib import Path

from analysis.output import output
from analysis.report import page
from analysis.report.again import best_configuration
from analysis.report.by_class import f1_by_class
from analysis.report.confusion import confusion
from analysis.report.cost import cost
from analysis.report.curves import curves
from analysis.report.failing import failures
from analysis.report.headline import headline
from analysis.report.history import history
from analysis.report.importance import importance
from analysis.report.makeup import makeup
from analysis.report.mistakes import mistakes
from analysis.report.parallel import parallel
from analysis.report.price import price
from analysis.report.slices import slices
from analysis.report.subject import Subject
from analysis.run_folder import RunFolder
from trainable.errors import ConfigError

# Name, title, what there is to see, and content of the sections, in their order.
SECTIONS: tuple[tuple[str, str, str, Callable[[Subject], tuple[str, ...]]], ...] = (
    ("result", "How good it is", "What to expect on images of people never seen.", headline),
    ("best", "Best configuration", "The trial that is first in the ranking.", best_configuration),
    ("history", "History", "How the search came to its best value: a point a trial.", history),
    ("curves", "Learning curves", "The metric after each epoch, a line a trial.", curves),
    (
        "price",
        "Score against time",
        "What a trial's training took, and which trials are best for their time.",
        price,
    ),
    (
        "importance",
        "What matters",
        "Which hyperparameters tell the best trials from the rest.",
        importance,
    ),
    ("slices", "What helps", "Which sampler, loss, schedule and so on did well.", slices),
    (
        "parallel",
        "Good trials side by side",
        "What good trials have in common: the hyperparameters that matter most, a line a trial.",
        parallel,
    ),
    (
        "confusion",
        "What is taken for what",
        "Validation images, as the best trial's best epoch sees them: a row a true class, a "
        "column a predicted one; the darker, the larger the share of the true class.",
        confusion,
    ),
    (
        "f1",
        "F1 by class and attribute",
        "Where the best trial is good and where it is not, on validation.",
        f1_by_class,
    ),
    (
        "mistakes",
        "Most confident mistakes",
        "Validation images that the best trial is most sure of and wrong about: hard images, or "
        "wrong labels.",
        mistakes,
    ),
    ("ensemble", "Ensemble", "Trials that predict together better than the best alone.", makeup),
    ("cost", "Cost", "What training took, and what stopping trials early saved.", cost),
    ("failures", "Failures", "Why trials failed, the most frequent reason first.", failures),
)


def write_report(run: RunFolder, out: Path) -> Path:
    """Write what a search found, finished or not, as one HTML file that needs no network.

    A section whose files are missing or damaged says so; the others are written all the same.

    Args:
        run: The run.
        out: The file, replaced if it is there.

    Returns:
        ``out``.

    Raises:
        ConfigError: If no trial has a value, or the file cannot be written.
    """
    subject = Subject.of(run)
    title = f"Search {run.name}"
    subtitle = (
        f"Ranked by {run.metric}, {'higher' if run.higher_is_better else 'lower'} is better."
    )
    sections = [_section(subject, *described) for described in SECTIONS]
    with output(out) as aside:
        aside.write_text(page.page(title, subtitle, sections), encoding="utf-8")
    return out


def _section(
    subject: Subject, name: str, title: str, lead: str, make: Callable[[Subject], tuple[str, ...]]
) -> page.Section:
    try:
        return page.Section(name, title, lead, make(subject))
    except ConfigError as error:
        why = f"Left out: {error.problems[-1]}"
        return page.Section(name, title, lead, (page.paragraph(why, kind="note"),))
