"""A private Ray on a machine where its dashboard does not come up."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
from search.cluster import private_ray
from search.resources import Available

with private_ray(Available(1, 0)) as dashboard:
    import ray

    print(f"{dashboard!r} {ray.available_resources()['CPU']}")
"""


@pytest.mark.slow
def test_a_dashboard_that_does_not_come_up_is_done_without():
    environment = os.environ | {"RAY_DASHBOARD_STARTUP_TIMEOUT_S": "0"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=environment
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "'' 1.0\n"
