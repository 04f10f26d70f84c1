import io
import json
import zipfile

import pytest
import torch

from analysis.formats.archive import check_archive
from analysis.formats.reading import read_graph
from trainable.errors import ConfigError

GRAPH = "model/models/model.json"
WEIGHTS = "model/data/weights/model_weights_config.json"
EXAMPLE = "model/data/sample_inputs/model.pt"


@pytest.fixture(scope="module")
def archive(graphs):
    return graphs / "members" / "0" / "model.pt2"


def records(file):
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(file, content):
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return file


def pickled():
    buffer = io.BytesIO()
    torch.save(((torch.zeros(1),), {}), buffer)
    return buffer.getvalue()


def test_nothing_in_an_archive_is_a_pickle(archive):
    content = records(archive)
    assert content[EXAMPLE] == b""
    configs = [json.loads(data)["config"] for name, data in content.items() if "_config" in name]
    assert len(configs) == 2
    assert not any(meta["use_pickle"] for config in configs for meta in config.values())
    check_archive(archive)


def test_an_archive_does_not_say_where_it_was_made(archive):
    text = records(archive)[GRAPH].decode()
    assert ".py" not in text
    assert "/" not in text


def test_a_pickled_example_is_refused(archive, tmp_path):
    content = records(archive) | {EXAMPLE: pickled()}
    with pytest.raises(ValueError, match="expected no pickled example, got"):
        check_archive(write(tmp_path / "m.pt2", content))


@pytest.mark.parametrize("name", ["data/weights/model.pt", "data/constants/opaque_obj_0", "x.py"])
def test_records_of_other_kinds_are_refused(archive, tmp_path, name):
    content = records(archive) | {f"model/{name}": pickled()}
    with pytest.raises(ValueError, match="expected a known record, got"):
        check_archive(write(tmp_path / "m.pt2", content))


def changed(content, name, change):
    parsed = json.loads(content[name])
    change(parsed)
    return content | {name: json.dumps(parsed)}


def first_node(graph):
    return graph["graph_module"]["graph"]["nodes"][0]


def set_size(graph):
    first = first_node(graph)["inputs"][0]
    first["arg"] = {"as_sym_int": {"as_expr": {"expr_str": "__import__('os').getpid()"}}}


def set_signature(graph):
    signature = graph["graph_module"]["module_call_graph"][0]["signature"]
    signature["in_spec"] = '[1, {"type": "other"}]'


def set_pickle(config):
    next(iter(config["config"].values()))["use_pickle"] = True


@pytest.mark.parametrize(
    ("record", "change", "message"),
    [
        (WEIGHTS, set_pickle, "expected tensors as raw bytes, got 'a pickle'"),
        (GRAPH, lambda g: g.update(guards_code=["print(1)"]), "a known guards_code, got 'print"),
        (GRAPH, lambda g: first_node(g).update(target="torch.hub.load"), "a known target, got"),
        (GRAPH, lambda g: first_node(g).update(target="#x"), "a known target, got '#x'"),
        (GRAPH, lambda g: first_node(g).update(name="x = print(1)"), "a known name, got"),
        (GRAPH, lambda g: g.update({"print(1)": 1}), r"expected a name, got 'print\(1\)'"),
        (GRAPH, set_size, "expected a known expr_str, got .__import__"),
        (GRAPH, set_signature, "expected a known in_spec"),
    ],
)
def test_what_torch_would_run_is_refused(archive, tmp_path, record, change, message):
    content = changed(records(archive), record, change)
    with pytest.raises(ValueError, match=message):
        check_archive(write(tmp_path / "m.pt2", content))


@pytest.mark.parametrize("content", [b"", b"no archive", pickled()])
def test_a_file_of_another_kind_is_one_line(tmp_path, content):
    (tmp_path / "m.pt2").write_bytes(content)
    with pytest.raises(ConfigError, match=r"m\.pt2: expected a network as torch-export") as error:
        read_graph(tmp_path / "m.pt2", "torch-export", torch.device("cpu"), shape=(32, 24, 3))
    assert len(error.value.problems) == 1
    assert "\n" not in error.value.problems[0]
