"""Measurements on disk: each workload once a kind of GPU."""

import json
from dataclasses import replace

import pytest

from trainable.measurements import FOLDER, Measurement, Measurements

SMALL = Measurement("small", "A", 1000, 100, 50.0, 200.0)


@pytest.fixture
def measurements(tmp_path):
    return Measurements(tmp_path)


def measure(measurements, found, *, workload="small", gpu="A"):
    """Return what is known afterwards, and how often it was measured."""
    calls = []

    def measure_it():
        calls.append(1)
        return found

    return measurements.measured_once(workload, gpu, measure_it), len(calls)


def test_a_workload_is_measured_once_a_kind_of_gpu(measurements, tmp_path):
    assert measure(measurements, SMALL) == (SMALL, 1)
    assert measure(Measurements(tmp_path), None) == (SMALL, 0)
    assert measurements.read("small", "B") is None
    other = replace(SMALL, gpu="B", needed_bytes=90)
    assert measure(measurements, other, gpu="B") == (other, 1)


def test_what_could_not_be_measured_or_is_an_estimate_is_not_kept(measurements):
    assert measure(measurements, None) == (None, 1)
    estimate = replace(SMALL, is_estimate=True)
    assert measure(measurements, estimate) == (estimate, 1)
    assert measurements.read("small", "A") is None


def test_a_damaged_file_is_measured_again(measurements, tmp_path):
    measure(measurements, SMALL)
    [file] = (tmp_path / FOLDER).glob("*.json")
    for damage in ("", "[]", json.dumps(SMALL.facts() | {"needed_bytes": "much"})):
        file.write_text(damage)
        assert measurements.read("small", "A") is None
    assert measure(measurements, SMALL) == (SMALL, 1)


def test_other_versions_measure_anew(measurements, monkeypatch):
    measure(measurements, SMALL)
    monkeypatch.setattr("trainable.measurements.version", lambda package: "9")
    assert measurements.read("small", "A") is None


def test_a_cache_that_cannot_be_written_keeps_nothing(tmp_path):
    (tmp_path / "file").touch()
    measurements = Measurements(tmp_path / "file")
    assert measure(measurements, SMALL) == (SMALL, 1)
    assert measure(measurements, SMALL) == (SMALL, 1)


def test_facts_are_read_back():
    assert Measurement.of(json.loads(json.dumps(SMALL.facts()))) == SMALL
    unknown = replace(SMALL, train_images_per_s=None)
    assert Measurement.of(unknown.facts()) == unknown
    assert Measurement.of(None) is None
