"""What a worker imports, in a process of its own."""

import subprocess
import sys

import pytest

from trainable.lean_import import absent, empty

PROGRAM = """
import sys
import trainable.ray_trainable
print(*(name for name in {names} if name in sys.modules))
from scipy.signal import windows
import scipy.signal, wandb
assert scipy.signal.hilbert and windows.hamming and wandb.init
"""


def test_a_worker_imports_nothing_that_only_other_uses_of_its_libraries_need():
    program = PROGRAM.format(names=["wandb", "scipy.signal", "scipy.stats", "sklearn"])
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_what_is_imported_already_stays():
    with absent("json"), empty("email.message"):
        import email.message
        import json

        assert json.dumps
        assert email.message.Message
    assert sys.modules["json"] is json


def test_after_an_error_a_package_is_there_again():
    with pytest.raises(ModuleNotFoundError), absent("sndhdr_"):
        import sndhdr_  # noqa: F401
    assert "sndhdr_" not in sys.modules
    with empty("xml.sax.saxutils", "escape"):
        from xml.sax.saxutils import escape

        assert escape is None or callable(escape)
    from xml.sax.saxutils import escape

    assert escape("&") == "&amp;"
