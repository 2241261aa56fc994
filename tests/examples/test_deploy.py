"""The deployment examples: every manifest, compose file and collector configuration in them is valid."""

import json
from pathlib import Path

import compose_spec
import kubernetes_validate
import pytest
import yaml

from runmill.collector import config

FOLDER = Path(__file__).parents[2] / "examples" / "deploy"
MANIFESTS = list(yaml.safe_load_all((FOLDER / "kubernetes.yaml").read_text()))
ENVIRONMENT = {"RUNMILL_STORE": "store", "RUNMILL_GATEWAY": "http://gateway:4318", "RUNMILL_TOKEN": "t"}


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda each: f"{each['kind']}-{each['metadata']['name']}")
def test_manifest_fits_the_schema_of_kubernetes(manifest):
    """Kubernetes' own schema takes it, with no field it does not know."""
    kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


def test_manifests_name_each_other_rightly():
    """What a pod mounts or reads is there, and every service finds the pods of a workload."""
    by_kind = {}
    for manifest in MANIFESTS:
        by_kind.setdefault(manifest["kind"], {})[manifest["metadata"]["name"]] = manifest
    labels = [
        each["spec"]["template"]["metadata"]["labels"]
        for kind in ("Deployment", "DaemonSet")
        for each in by_kind[kind].values()
    ]
    assert all(service["spec"]["selector"] in labels for service in by_kind["Service"].values())
    named = {each["configMap"]["name"] for each in _all(MANIFESTS, "volumes") if "configMap" in each}
    named |= {each["configMapRef"]["name"] for each in _all(MANIFESTS, "envFrom") if "configMapRef" in each}
    assert named == set(by_kind["ConfigMap"])
    accounts = {pod.get("serviceAccountName") for pod in _pods(MANIFESTS)}
    assert accounts == set(by_kind["ServiceAccount"])


def _pods(node):
    """Every pod's specification, however deep."""
    if isinstance(node, dict):
        if "containers" in node:
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from _pods(each)


def test_no_pod_may_more_than_it_needs():
    """None gains privileges or keeps capabilities; the agent alone is root, as the files it reads are root's."""
    pods = list(_pods(MANIFESTS))
    containers = [each for pod in pods for each in pod["containers"]]
    for each in containers:
        allowed = each["securityContext"]
        assert (allowed["allowPrivilegeEscalation"], allowed["capabilities"]) == (False, {"drop": ["ALL"]})
    root = [each["args"][0] for each in containers if each["securityContext"].get("runAsUser") == 0]
    not_root = [pod["containers"][0]["args"][0] for pod in pods if pod["securityContext"].get("runAsNonRoot")]
    assert (root, not_root) == (["collect"], ["up", "serve", "store"])


def _all(node, key):
    """Every item of every list under *key*, however deep."""
    if isinstance(node, list):
        for each in node:
            yield from _all(each, key)
    elif isinstance(node, dict):
        for name, each in node.items():
            yield from each if name == key else _all(each, key)


def test_compose_file_fits_its_specification():
    """The specification's schema takes it, and its volumes and dependencies are there."""
    found = compose_spec.ComposeSpecification.model_validate(yaml.safe_load((FOLDER / "compose.yaml").read_text()))
    plain = compose_spec.PyCompose.from_yaml(json.dumps(yaml.safe_load((FOLDER / "compose.yaml").read_text())))
    plain.validate()
    plain.validate_volumes()
    assert sorted(found.services) == ["catalog", "gateway", "portal", "storage"]


def test_collector_configurations_have_no_mistake(tmp_path):
    """Those beside the compose file, and those in the manifests, which are the same but for what a cluster needs."""
    [mounted] = [each["data"] for each in MANIFESTS if each["metadata"]["name"] == "runmill-config"]
    for name, text in mounted.items():
        (tmp_path / name).write_text(text)
        loaded = [config.load(folder / name, overrides={}, environment=ENVIRONMENT) for folder in (FOLDER, tmp_path)]
        assert [[pipeline.pipeline_id for pipeline in each.pipelines] for each in loaded] == [
            [pipeline.pipeline_id for pipeline in loaded[0].pipelines]
        ] * 2
        assert [list(each.warnings) for each in loaded] == [[], []]
