import pytest

from trainable.cpus import usable_cpus


@pytest.mark.parametrize(("text", "limit"), [("50000 100000", 1), ("100000 100000", 1)])
def test_a_container_may_use_the_cores_of_its_quota(tmp_path, text, limit):
    (tmp_path / "cpu.max").write_text(text)
    assert usable_cpus(tmp_path / "cpu.max") == limit


def test_without_a_quota_all_cores_may_be_used(tmp_path):
    (tmp_path / "cpu.max").write_text("max 100000")
    assert usable_cpus(tmp_path / "cpu.max") == usable_cpus(tmp_path / "none")
