"""The example for Kubernetes: its pods are pods, and the command in it exists."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from got_ocr2.cli.batch import batch

yaml = pytest.importorskip("yaml")
kubernetes_validate = pytest.importorskip("kubernetes_validate")

EXAMPLE = Path(__file__).parents[2] / "docs" / "kuberay.yaml"


@pytest.fixture(scope="module")
def parts() -> dict[str, Any]:
    return {part["kind"]: part for part in yaml.safe_load_all(EXAMPLE.read_text("utf-8"))}


def check(part: dict[str, Any]) -> None:
    kubernetes_validate.validate(part, kubernetes_validate.latest_version(), strict=True)


def test_pods_and_storage_are_what_kubernetes_takes(parts):
    check(parts["PersistentVolumeClaim"])
    cluster = parts["RayJob"]["spec"]["rayClusterSpec"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    claim = parts["PersistentVolumeClaim"]["metadata"]["name"]
    for group in groups:
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, **group["template"]}
        check(pod)
        # All of them see one folder by one name, which a run needs.
        assert [v["persistentVolumeClaim"]["claimName"] for v in pod["spec"]["volumes"]] == [claim]
        assert pod["spec"]["containers"][0]["volumeMounts"] == [{"name": "data", "mountPath": "/data"}]
    with pytest.raises(kubernetes_validate.ValidationError):
        check({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, "spec": {"containres": []}})


def test_its_command_exists(parts):
    program, command, *words = shlex.split(parts["RayJob"]["spec"]["entrypoint"])
    assert (program, command) == ("got-ocr2", "batch")
    app = typer.Typer(add_completion=False)
    app.command()(batch)
    given = typer.main.get_command(app).make_context("batch", words).params
    assert given["resume"] is True
    assert given["output"].startswith("/data/")
    assert given["gpus"] == 1.0
