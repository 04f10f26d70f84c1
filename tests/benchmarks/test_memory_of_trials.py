import os

import numpy as np

from benchmarks.memory_of_trials import anonymous_bytes, pss, pss_of_file

NUM_BYTES = 64 * 2**20


def test_of_a_mapped_file_the_pages_that_were_read_are_counted(tmp_path):
    file = tmp_path / "images.npy"
    file.write_bytes(bytes(NUM_BYTES))
    mapped = np.memmap(file, np.uint8, mode="r")
    int(mapped[: NUM_BYTES // 2].max())
    half = pss_of_file(os.getpid(), file)
    int(mapped.max())
    whole = pss_of_file(os.getpid(), file)
    assert NUM_BYTES // 2 <= half < whole
    assert NUM_BYTES <= whole < 1.01 * NUM_BYTES
    assert pss_of_file(os.getpid(), tmp_path / "other.npy") == 0


def test_a_copy_is_counted_as_the_processes_own(written_memory):
    before, pss_before = anonymous_bytes(), pss(os.getpid())
    copy = written_memory(NUM_BYTES)
    gained, pss_gained = anonymous_bytes() - before, pss(os.getpid()) - pss_before
    assert 0.95 * NUM_BYTES < gained < 1.2 * NUM_BYTES
    assert 0.95 * NUM_BYTES < pss_gained < 1.2 * NUM_BYTES
    copy.close()
