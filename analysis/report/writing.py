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
from analysis.report.slices import slices
from analysis.report.subject import Subject
from analysis.run_folder import RunFolder
from trainable.errors import ConfigError

# Name, title and content of the sections, in their order.
SECTIONS: tuple[tuple[str, str, Callable[[Subject], tuple[str, ...]]], ...] = (
    ("result", "How good it is", headline),
    ("best", "Best configuration", best_configuration),
    ("history", "History", history),
    ("curves", "Learning curves", curves),
    ("importance", "What matters", importance),
    ("parallel", "Good trials side by side", parallel),
    ("slices", "What helps", slices),
    ("confusion", "What is taken for what", confusion),
    ("f1", "F1 by class and attribute", f1_by_class),
    ("mistakes", "Most confident mistakes", mistakes),
    ("ensemble", "Ensemble", makeup),
    ("cost", "Cost", cost),
    ("failures", "Failures", failures),
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
    sections = [_section(subject, *of) for of in SECTIONS]
    with output(out) as aside:
        aside.write_text(page.page(title, subtitle, sections), encoding="utf-8")
    return out


def _section(
    subject: Subject, name: str, title: str, make: Callable[[Subject], tuple[str, ...]]
) -> page.Section:
    try:
        return page.Section(name, title, make(subject))
    except ConfigError as error:
        why = f"Left out: {error.problems[-1]}"
        return page.Section(name, title, (page.paragraph(why, kind="note"),))
