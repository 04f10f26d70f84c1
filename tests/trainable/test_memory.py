"""Memory: how much there is, how much a process holds, and what is kept within a share of it."""

import pytest
import torch

from trainable.memory import Kept, held_memory, usable_memory

CPU = torch.device("cpu")
MIB = 2**20


def test_a_containers_limit_is_the_memory_there_is(tmp_path):
    limit = tmp_path / "memory.max"
    installed = usable_memory(CPU, limit)
    limit.write_text("max\n")
    assert usable_memory(CPU, limit) == installed
    limit.write_text(f"{512 * MIB}\n")
    assert usable_memory(CPU, limit) == min(installed, 512 * MIB)


def test_held_memory_grows_by_what_is_held(written_memory):
    before = held_memory()
    held = written_memory(64 * MIB)
    assert held_memory() - before == pytest.approx(len(held), rel=0.25)


def kept_of(num_tensors):
    """Return what keeps so many tensors of 1 MiB, and a function that asks for one."""
    made = []

    def make(key):
        made.append(key)
        return torch.zeros(MIB, dtype=torch.uint8)

    kept = Kept(share=(num_tensors + 0.5) * MIB / usable_memory(CPU))
    return made, lambda key: kept.get(key, lambda: make(key), num_bytes=MIB, device=CPU)


def test_what_is_kept_is_made_once():
    made, get = kept_of(2)
    assert get("a") is get("a")
    assert made == ["a"]


def test_what_was_unused_for_longest_makes_room():
    made, get = kept_of(2)
    for key in ("a", "b", "a", "c", "a", "b"):
        get(key)
    assert made == ["a", "b", "c", "b"]


def test_what_has_no_room_is_not_made():
    made, get = kept_of(0)
    assert get("a") is None
    assert made == []
