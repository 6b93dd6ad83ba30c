"""deploy/kubernetes: valid for the API, complete, hardened, and the Deployment really run."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from app import __version__
from app.dataset import main
from app.settings import Settings
from harness.launcher import free_port
from tests.container.conftest import Service, fetch, wait_until_ready
from tests.container.engine import HARDENED, Engine
from tests.container.manifest import of_kind, program, rendered

BASE, VOLUME, DATASET = "base", "overlays/volume", "dataset"
VERSIONS = ("1.30", "1.37")  # of Kubernetes: the oldest supported, the newest known
KINDS = {
    *("Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget"),
    *("NetworkPolicy", "Ingress"),
}
NAME = {"app.kubernetes.io/name": "cvae-digits"}


@pytest.fixture(params=[BASE, VOLUME])
def objects(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return rendered(request.param)


@pytest.mark.parametrize("version", VERSIONS)
def test_manifests_are_valid(objects: list[dict[str, Any]], version: str) -> None:
    """Strictly: an unknown field is an error."""
    for each in objects:
        kubernetes_validate.validate(each, version, strict=True)


def test_manifest_with_a_mistake_is_invalid() -> None:
    """So that the test above can fail."""
    deployment = of_kind(rendered(BASE), "Deployment")
    deployment["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, VERSIONS[-1], strict=True)


def test_base_has_all_that_is_promised(objects: list[dict[str, Any]]) -> None:
    assert {each["kind"] for each in objects} - {"PersistentVolumeClaim"} == KINDS


def test_every_object_selects_the_pods(objects: list[dict[str, Any]]) -> None:
    deployment = of_kind(objects, "Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert labels.items() >= NAME.items()
    assert of_kind(objects, "Service")["spec"]["selector"] == NAME
    assert of_kind(objects, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == NAME
    assert of_kind(objects, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"] == NAME
    target = of_kind(objects, "HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", deployment["metadata"]["name"])
    assert "replicas" not in deployment["spec"]  # or each apply would undo the autoscaler


def test_pod_is_hardened(objects: list[dict[str, Any]]) -> None:
    pod = of_kind(objects, "Deployment")["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in [*pod["containers"], *pod.get("initContainers", ())]:
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert container["resources"]["limits"]["memory"]
        assert container["image"] == f"cvae-digits:{__version__}"


def test_pod_drains_before_it_ends(objects: list[dict[str, Any]]) -> None:
    pod = of_kind(objects, "Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["startupProbe"]["httpGet"]["path"] == "/readyz"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
    program, pause = container["lifecycle"]["preStop"]["exec"]["command"]
    assert program == "sleep"
    noticed = container["readinessProbe"]["periodSeconds"]
    assert noticed < int(pause) < pod["terminationGracePeriodSeconds"] - 30


def test_metrics_are_not_on_the_port_of_the_ingress(objects: list[dict[str, Any]]) -> None:
    (container,) = of_kind(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    settings = {each["name"]: each["value"] for each in container["env"]}
    assert settings["CVAE_METRICS_PORT"] == str(ports["metrics"])
    assert [port["targetPort"] for port in of_kind(objects, "Service")["spec"]["ports"]] == ["http"]


def test_manifests_set_settings_of_the_service(objects: list[dict[str, Any]]) -> None:
    names = {f"CVAE_{name.upper()}" for name in Settings.model_fields}
    (container,) = of_kind(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    assert {each["name"] for each in container["env"]} <= names


def test_volume_replaces_the_checkpoint_of_the_image() -> None:
    objects = rendered(VOLUME)
    pod = of_kind(objects, "Deployment")["spec"]["template"]["spec"]
    (claimed,) = [each for each in pod["volumes"] if "persistentVolumeClaim" in each]
    claim = of_kind(objects, "PersistentVolumeClaim")["metadata"]["name"]
    assert claimed["persistentVolumeClaim"]["claimName"] == claim
    mounts = {each["name"]: each for each in pod["containers"][0]["volumeMounts"]}
    assert mounts[claimed["name"]]["mountPath"] == "/checkpoints"
    assert mounts[claimed["name"]]["readOnly"] is True


@pytest.mark.parametrize("version", VERSIONS)
def test_job_of_a_data_set_is_valid_and_hardened(version: str) -> None:
    objects = rendered(DATASET)
    for each in objects:
        kubernetes_validate.validate(each, version, strict=True)
    job, deployment = of_kind(objects, "Job"), of_kind(rendered(BASE), "Deployment")
    pod, other = (each["spec"]["template"]["spec"] for each in (job, deployment))
    assert pod["securityContext"] == other["securityContext"]
    assert pod["automountServiceAccountToken"] is False
    ((container,), (served,)) = pod["containers"], other["containers"]
    for name in ("securityContext", "resources", "image"):
        assert container[name] == served[name]


def test_pods_of_the_job_complete_a_data_set_together(tmp_path: Path) -> None:
    job = of_kind(rendered(DATASET), "Job")["spec"]
    assert (job["completionMode"], job["completions"]) == ("Indexed", job["parallelism"])
    (container,) = job["template"]["spec"]["containers"]
    folder, *options = container["args"]
    small = ["--count=250" if word.startswith("--count=") else word for word in options]
    assert container["command"] == ["python", "-m", "app.dataset"]
    data = tmp_path / Path(folder).name
    for index in range(job["completions"]):
        assert not (data / "manifest.json").exists()
        words = [word.replace("$(JOB_COMPLETION_INDEX)", str(index)) for word in small]
        # Writers must be in both splits, and shards enough for all pods.
        assert main([str(data), *words, "--shard-size=10"]) == 0
    manifest = json.loads((data / "manifest.json").read_text())
    assert manifest["splits"] == {"train": 225, "test": 25}
    assert len(manifest["shards"]) >= job["completions"]


@contextmanager
def played(engine: Engine, image: str, folder: str, directory: Path) -> Iterator[Service]:
    """The Deployment's pod of a kustomization, run by `podman kube play`."""
    if engine.is_docker:
        pytest.skip("docker plays no Kubernetes manifests")
    program("catatonit")  # the init of a pod
    port = free_port()
    objects = rendered(folder)
    deployment = of_kind(objects, "Deployment")
    name = f"cvae-digits-{port}"
    text = json.dumps(deployment).replace("cvae-digits:" + __version__, image)
    deployment = json.loads(text)
    deployment["metadata"]["name"] = name
    pod = deployment["spec"]["template"]["spec"]
    # podman 4.3 fails to remove init containers that end at once, so they are run before the pod,
    # which also makes the volume of the claim.
    seeds = pod.pop("initContainers", [])
    pod["hostNetwork"] = True  # a network of its own takes rights that root may not have here
    (container,) = pod["containers"]
    container.pop("ports")
    container["env"] += [
        {"name": "CVAE_HOST", "value": "127.0.0.1"},
        {"name": "CVAE_PORT", "value": str(port)},
    ]
    settings = {each["name"]: each for each in container["env"]}
    settings["CVAE_METRICS_PORT"]["value"] = str(free_port())
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        container[probe]["httpGet"]["port"] = int(port)
    documents = [each for each in objects if each["kind"] == "PersistentVolumeClaim"]
    file = directory / "deployment.yaml"
    file.write_text(yaml.safe_dump(deployment))
    try:
        for seed in seeds:
            volume = f"{documents[0]['metadata']['name']}:{seed['volumeMounts'][0]['mountPath']}"
            engine("run", "--rm", *HARDENED, "--volume", volume, image, *seed["command"])
        engine("kube", "play", str(file))
        service = Service(f"{name}-pod-0-{container['name']}", f"http://127.0.0.1:{port}")
        wait_until_ready(engine, service)
        yield service
    finally:
        engine("kube", "down", str(file), check=False)
        for document in documents:
            engine("volume", "rm", "--force", document["metadata"]["name"], check=False)


@pytest.mark.container
@pytest.mark.parametrize("folder", [BASE, VOLUME])
def test_deployment_really_runs(engine: Engine, image: str, tmp_path: Path, folder: str) -> None:
    with played(engine, image, folder, tmp_path) as service:
        assert fetch(f"{service.address}/generate?digits=2018&seed=14")[:4] == b"\x89PNG"
        container = engine.container(service.name)
        assert container["Config"]["User"] == "10001:10001"
        assert container["HostConfig"]["ReadonlyRootfs"] is True
        assert container["HostConfig"]["Memory"] == 512 * 2**20
        script = "print(open('/proc/1/status').read())"
        status = engine("exec", service.name, "python", "-c", script).stdout
        assert re.search(r"^CapEff:\s0+$", status, re.MULTILINE)
        assert re.search(r"^NoNewPrivs:\s1$", status, re.MULTILINE)
        if folder == VOLUME:
            listed = engine("exec", service.name, "ls", "/checkpoints").stdout
            assert listed.split() == ["current"]
