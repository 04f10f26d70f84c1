"""The command on real run folders, and what the page promises of itself."""

import json
import re
import shutil
from html import escape
from html.parser import HTMLParser

import pytest

from analysis.ensemble.making import conclude_with_ensemble
from analysis.report.__main__ import main
from analysis.report.writing import SECTIONS, write_report
from analysis.run_folder import RunFolder

HTML = '<b onclick="x()">&amp;</b></script><script>alert(1)</script>'
LARGEST = 15_000_000


class Tags(HTMLParser):
    """Collects the tags of a page, its text, and what they would load."""

    def __init__(self, html):
        super().__init__()
        self.names, self.loaded, self.text = [], [], ""
        self._is_text = True
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self._is_text = tag not in ("script", "style")
        self.loaded += [v for k, v in attrs if k in ("src", "href") and not v.startswith("#")]

    def handle_endtag(self, tag):
        self._is_text = True

    def handle_data(self, data):
        self.text += data if self._is_text else ""


def report(*arguments):
    assert main([*map(str, arguments)]) == 0


def refused(capsys, *arguments):
    assert main([*map(str, arguments)]) == 2
    [line] = capsys.readouterr().err.splitlines()
    return line


def section(html, name):
    return re.search(f'<section id="{name}">(.*?)</section>', html, re.DOTALL)[1]


@pytest.fixture
def copy(trained_run, tmp_path):
    return shutil.copytree(trained_run, tmp_path / "copy")


@pytest.fixture(scope="session")
def html(trained_run, tmp_path_factory):
    out = tmp_path_factory.mktemp("report") / "trained.html"
    return write_report(RunFolder(trained_run), out).read_text()


def test_the_report_of_trained_trials_has_all_its_sections(html):
    for name, title, lead, _ in SECTIONS:
        assert f'<h2>{title}</h2><p class="lead">{escape(lead)}' in html
        assert "Left out" not in section(html, name)
    drawn = re.findall(r'<div id="figure-([\w-]+)"', html)
    wanted = {"history", "curves", "parallel", "slices", "confusion-0", "confusion-1", "f1-2"}
    assert set(drawn) >= wanted
    assert len(drawn) == len(set(drawn))


def test_every_figure_has_a_table_in_its_section(html):
    for name, *_ in SECTIONS:
        num_figures = len(re.findall(r'<div id="figure-', section(html, name)))
        assert section(html, name).count("<table>") >= num_figures
    assert "As a table" in section(html, "slices")


def test_the_report_loads_nothing_and_has_plotly_once(html):
    assert {url.partition(",")[0] for url in Tags(html).loaded} <= {"data:image/jpeg;base64"}
    assert "link" not in Tags(html).names
    assert html.count("plotly.js v") == 1
    assert html.count("<img ") > 0


def test_the_command_says_where_the_report_is_and_how_large(copy, tmp_path, capsys):
    report(copy)
    assert re.fullmatch(rf"Written: {copy}/report.html, \d.\d MB\n", capsys.readouterr().out)
    report(copy, "--out", tmp_path / "elsewhere.html")
    assert (tmp_path / "elsewhere.html").read_text() == (copy / "report.html").read_text()


def test_names_of_classes_and_reasons_that_look_like_html_are_text(make_run, tmp_path):
    path = make_run(
        "run",
        [
            {"state": "complete", "curve": [0.5, 0.6], "config": {"loss/name": HTML, "seed": 1}},
            {"state": "pruned", "curve": [0.4], "config": {"loss/name": "focal", "seed": 2}},
            {"state": "pruned", "curve": [0.3], "config": {"loss/name": HTML, "seed": 3}},
            {"state": "failed", "reason": HTML},
        ],
    )
    html = write_report(RunFolder(path), tmp_path / "report.html").read_text()
    tags = Tags(html)
    assert "b" not in tags.names
    assert tags.text.count(HTML) >= 3
    assert "alert(1)</script>" not in html
    assert '&lt;b onclick=\\"x()' in html  # in a figure: plotly makes a tag of "<b" there
    assert "\\u003cb onclick" not in html


def test_class_names_that_look_like_html_are_text(copy, tmp_path):
    facts = json.loads((copy / "run.json").read_text())
    facts["data"]["classes"] = [HTML if c == "red" else c for c in facts["data"]["classes"]]
    (copy / "run.json").write_text(json.dumps(facts))
    quoted = '"' + HTML.replace('"', '""') + '"'
    for file in (copy / "split.csv", *copy.glob("trials/*/confusion.csv")):
        file.write_text(re.sub(r"(?<=,)red(?=,)", lambda _: quoted, file.read_text()))
    html = write_report(RunFolder(copy), tmp_path / "report.html").read_text()
    assert "Left out" not in html
    assert HTML in Tags(section(html, "mistakes")).text
    assert "b" not in Tags(html).names
    assert "alert(1)</script>" not in html


def test_a_bundle_gives_test_scores_and_without_one_there_are_none(copy, html, tmp_path):
    assert "No test score yet" in section(html, "result")
    conclude_with_ensemble(RunFolder(copy), copy / "ensemble")
    scored = section(write_report(RunFolder(copy), tmp_path / "report.html").read_text(), "result")
    manifest = json.loads((copy / "ensemble" / "bundle.json").read_text())
    assert "No test score yet" not in scored
    assert f"{manifest['metrics']['test/f1']['value']:.4f}" in scored


def test_a_bundle_of_a_run_that_was_renamed_since_is_known_as_its_own(copy, tmp_path):
    facts = json.loads((copy / "run.json").read_text())
    facts["options"] = {"name": copy.name}
    (copy / "run.json").write_text(json.dumps(facts))
    conclude_with_ensemble(RunFolder(copy), copy / "ensemble")
    renamed = copy.rename(tmp_path / "renamed")
    html = write_report(RunFolder(renamed), tmp_path / "report.html").read_text()
    assert "How this ensemble grew is not recorded" not in html
    assert f"{copy.name}/0" not in section(html, "ensemble")


def test_soups_are_named_by_their_trials(copy, tmp_path):
    conclude_with_ensemble(RunFolder(copy), copy / "ensemble")
    file = copy / "ensemble" / "bundle.json"
    manifest = json.loads(file.read_text())
    manifest["members"][0]["soup_of"] = ["copy/0000", "copy/0001"]
    file.write_text(json.dumps(manifest))
    html = write_report(RunFolder(copy), tmp_path / "report.html").read_text()
    assert "<th>soup of copy/0000, copy/0001</th>" in section(html, "ensemble")
    assert "How this ensemble grew is not recorded" in section(html, "ensemble")


def test_pictures_of_images_that_are_gone_are_left_out_with_a_line(copy, tmp_path):
    facts = json.loads((copy / "run.json").read_text())
    facts["data"] |= {"root": str(tmp_path / "gone"), "cache_dir": str(tmp_path / "none")}
    (copy / "run.json").write_text(json.dumps(facts))
    html = write_report(RunFolder(copy), tmp_path / "report.html").read_text()
    assert "The images cannot be read here" in section(html, "mistakes")
    assert "<img" not in html


def test_a_damaged_file_costs_only_its_section(copy, tmp_path):
    RunFolder(copy).trial_folder(best_of(copy)).confusions.write_text("damaged")
    html = write_report(RunFolder(copy), tmp_path / "report.html").read_text()
    assert "confusion.csv: expected a table of" in section(html, "confusion")
    assert html.count("Left out: ") == 1


@pytest.mark.parametrize("name", ["metrics", "confusions", "probabilities", "config"])
def test_a_damaged_file_of_the_best_trial_costs_at_most_the_sections_that_need_it(
    copy, tmp_path, name
):
    getattr(RunFolder(copy).trial_folder(best_of(copy)), name).write_bytes(b"\x00damaged")
    html = write_report(RunFolder(copy), tmp_path / "report.html").read_text()
    left_out = {of for of, *_ in SECTIONS if "Left out: " in section(html, of)}
    needed = {"confusions": {"confusion"}, "probabilities": {"f1", "mistakes"}}
    assert left_out == needed.get(name, set())
    assert "figure-ablation" not in html


def test_a_damaged_bundle_costs_its_own_numbers_alone(copy, tmp_path):
    (copy / "ensemble").mkdir()
    (copy / "ensemble" / "bundle.json").write_text("{")
    html = write_report(RunFolder(copy), tmp_path / "report.html").read_text()
    result = section(html, "result")
    assert "ensemble/ is left out: " in result
    assert "cross-fitted" in result
    assert [of for of, *_ in SECTIONS if "Left out: " in section(html, of)] == ["ensemble"]


def test_a_damaged_split_leaves_what_needs_no_images(copy, tmp_path):
    (copy / "split.csv").write_text("damaged")
    html = write_report(RunFolder(copy), tmp_path / "report.html").read_text()
    left_out = {of for of, *_ in SECTIONS if "Left out: " in section(html, of)}
    assert left_out == {"confusion", "f1", "mistakes", "ensemble"}
    assert "figure-history" in html


def test_a_run_of_one_trial_is_told_of_in_lines(make_run, tmp_path):
    html = write_report(RunFolder(make_run("run", [COMPLETE])), tmp_path / "r.html").read_text()
    for name in ("importance", "parallel", "slices", "price"):
        assert "figure-" not in section(html, name)
        assert 'class="note"' in section(html, name)
    assert "figure-history" in section(html, "history")


def test_one_validation_person_makes_intervals_of_no_width(copy, tmp_path):
    lines = (copy / "split.csv").read_text().splitlines()
    place = lines[0].split(",").index("person")
    rows = [line.split(",") for line in lines]
    for row in rows[1:]:
        row[place] = "somebody" if "val" in row else row[place]
    (copy / "split.csv").write_text("\n".join(",".join(row) for row in rows) + "\n")
    html = write_report(RunFolder(copy), tmp_path / "report.html").read_text()
    assert "Left out: " not in html
    (low, high), *_ = re.findall(r"\((\d\.\d+) to (\d\.\d+)\)", section(html, "result"))
    assert low == high


def test_an_ablation_is_shown_against_its_base(make_run, tmp_path):
    losses = ["focal", "f1", "cross_entropy", "label_smoothing"]
    trials = [
        {"state": "complete", "curve": [0.5 + n / 10], "config": {"loss/name": name, "seed": n}}
        for n, name in enumerate(losses)
    ]
    html = write_report(RunFolder(make_run("run", trials)), tmp_path / "r.html").read_text()
    assert "One change at a time, against trial 0000" in section(html, "slices")
    assert "<td>+0.3000</td>" in section(html, "slices")


def test_data_without_attributes_have_the_label_alone(copy, tmp_path):
    facts = json.loads((copy / "run.json").read_text())
    facts["data"]["attributes"] = {}
    (copy / "run.json").write_text(json.dumps(facts))
    html = write_report(RunFolder(copy), tmp_path / "report.html").read_text()
    assert "Left out" not in html
    assert re.findall(r'<div id="figure-((?:confusion|f1)-\d)"', html) == ["confusion-0", "f1-0"]


def best_of(run):
    values = {t.number: t.value for t in RunFolder(run).trials}
    return max(values, key=values.get)


def test_an_unfinished_run_says_that_it_may_change(make_run, tmp_path):
    path = make_run("run", [{"state": "running", "curve": [0.9]}, *[COMPLETE] * 2])
    html = write_report(RunFolder(path), tmp_path / "report.html").read_text()
    assert "The search has not ended" in section(html, "result")


COMPLETE = {"state": "complete", "curve": [0.5]}


def test_a_run_with_only_failed_trials_is_refused_in_a_line(make_run, capsys):
    path = make_run("run", [{"state": "failed", "reason": "no memory"}] * 2)
    assert refused(capsys, path) == (
        f"{path}: expected at least one complete or stopped trial with a value, got 2 failed. "
        "Why trials failed: trials/*/error.txt."
    )
    assert not (path / "report.html").exists()


def test_a_run_without_trials_is_refused_in_a_line(make_run, capsys):
    assert "with a value, got none." in refused(capsys, make_run("run", []))


def test_a_place_that_cannot_be_written_is_refused_before_any_work(make_run, tmp_path, capsys):
    path = make_run("run", [COMPLETE])
    line = refused(capsys, path, "--out", tmp_path / "no" / "report.html")
    assert "expected a file in a folder that exists" in line
    assert "expected a run folder" in refused(capsys, tmp_path / "none")


def test_a_report_of_two_thousand_trials_is_small(make_searched, tmp_path):
    out = write_report(make_searched(2_000, num_idle=2), tmp_path / "report.html")
    assert out.stat().st_size < LARGEST
    html = out.read_text()
    assert "Shown are 200 of 2,000 curves" in section(html, "curves")
    assert "290 of 2,000" in section(html, "parallel")
