"""The files of deploy/ against the schema, the checker and the command line that they are for."""

import re
import shlex
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

from search.arguments import parse_arguments

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SHELLCHECK = shutil.which("shellcheck", path=str(Path(sys.executable).parent))


def test_the_cluster_file_is_one_that_ray_takes():
    config = prepare_config(yaml.safe_load((DEPLOY / "ray-cluster.yaml").read_text()))
    validate_config(config)
    commands = config["head_start_ray_commands"] + config["worker_start_ray_commands"]
    starts = [command for command in commands if "ray start" in command]
    assert len(starts) == 2
    assert all(command.startswith("RAY_AUTH_MODE=token ") for command in starts)


def test_options_of_ray_start_exist():
    from ray.scripts.scripts import start

    known = {name for option in start.params for name in option.opts}
    for name in ("ray-cluster.yaml", "slurm.sh"):
        text = re.sub(r"\\\n", " ", (DEPLOY / name).read_text())
        about_start = re.compile(r"ray start|start\[@")
        lines = [line for line in text.splitlines() if about_start.search(line)]
        options = set(re.findall(r"(?<!\S)--[a-z][a-z-]+", " ".join(lines)))
        of_srun = {"--nodes", "--ntasks", "--nodelist", "--exclude"}
        assert options - of_srun <= known, name
        assert "--head" in options


@pytest.fixture
def job() -> dict:
    return yaml.safe_load((DEPLOY / "rayjob.yaml").read_text())


def test_the_job_of_kubernetes_runs_a_search(job):
    words = shlex.split(job["spec"]["entrypoint"])
    assert words[:3] == ["python", "-m", "search.run"]
    assert parse_arguments(words[3:]).values["address"] == "auto"
    assert job["spec"]["backoffLimit"] == 0


def test_all_pods_of_kubernetes_have_this_ray_the_shared_disk_and_a_token(job):
    cluster = job["spec"]["rayClusterSpec"]
    assert cluster["rayVersion"] == version("ray")
    assert cluster["authOptions"] == {"mode": "token"}
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        pod = group["template"]["spec"]
        [container] = pod["containers"]
        volumes = {volume["name"] for volume in pod["volumes"]}
        assert {mount["name"] for mount in container["volumeMounts"]} == volumes == {"shared"}
        # Ray takes the cores that a search may use from the limits.
        assert container["resources"]["limits"] == container["resources"]["requests"]


def test_the_image_has_this_ray_and_copies_what_there_is():
    text = (DEPLOY / "Dockerfile").read_text()
    [base] = re.findall(r"^FROM (\S+)$", text, re.MULTILINE)
    assert base.startswith(f"rayproject/ray:{version('ray')}-py3")
    for sources in re.findall(r"^COPY --chown=\S+ (.*) \S+$", text, re.MULTILINE):
        assert [name for name in sources.split() if not (ROOT / name).exists()] == []


def test_the_script_for_slurm_has_no_mistake_that_a_shell_or_a_checker_sees():
    script = DEPLOY / "slurm.sh"
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
    if SHELLCHECK is None:
        pytest.skip("shellcheck is not installed here")
    done = subprocess.run([SHELLCHECK, str(script)], capture_output=True, text=True, check=False)
    assert done.stdout == ""


def test_directives_of_slurm_come_before_its_first_command():
    lines = (DEPLOY / "slurm.sh").read_text().splitlines()
    first = next(i for i, line in enumerate(lines) if line and not line.startswith("#"))
    directives = [i for i, line in enumerate(lines) if line.startswith("#SBATCH --")]
    assert len(directives) == 8
    assert max(directives) < first
