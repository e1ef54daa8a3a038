"""Compose and Kubernetes: every key is one that exists, what they mount is what the daemon reads and
writes, and the config that they bring or ask for is one that it takes."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest
from ruamel.yaml import YAML

from eventwatch.app.validation import validate
from eventwatch.config.load import Loaded, load
from tests.fakes.project import Project, steady

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
OWN = "/var/lib/eventwatch"
STOPS_WITHIN = 8
"""Seconds that the daemon may take."""

META = {"name", "labels", "annotations", "namespace"}
KEYS: dict[str, set[str]] = {
    # Kubernetes' own names, of the objects that stand in the manifest; a misspelt key is ignored by
    # the cluster or refused by it, and both are too late.
    "StatefulSet": {"apiVersion", "kind", "metadata", "spec"},
    "StatefulSet.spec": {
        "serviceName", "replicas", "selector", "template", "volumeClaimTemplates",
        "updateStrategy", "podManagementPolicy", "persistentVolumeClaimRetentionPolicy",
    },
    "pod": {
        "automountServiceAccountToken", "terminationGracePeriodSeconds", "securityContext", "containers",
        "volumes", "nodeSelector", "tolerations", "affinity", "priorityClassName",
    },
    "pod.securityContext": {
        "runAsNonRoot", "runAsUser", "runAsGroup", "fsGroup", "fsGroupChangePolicy", "seccompProfile",
    },
    "container": {
        "name", "image", "imagePullPolicy", "args", "envFrom", "env", "ports", "securityContext",
        "resources", "startupProbe", "livenessProbe", "readinessProbe", "volumeMounts",
    },
    "container.securityContext": {
        "allowPrivilegeEscalation", "readOnlyRootFilesystem", "capabilities", "privileged",
    },
    "probe": {
        "httpGet", "periodSeconds", "failureThreshold", "timeoutSeconds", "initialDelaySeconds",
        "successThreshold",
    },
    "mount": {"name", "mountPath", "readOnly", "subPath"},
    "volume": {"name", "configMap", "secret", "emptyDir"},
    "claim.spec": {"accessModes", "resources", "storageClassName"},
    "Service": {"apiVersion", "kind", "metadata", "spec"},
    "Service.spec": {"clusterIP", "selector", "ports", "type"},
    "ConfigMap": {"apiVersion", "kind", "metadata", "data"},
    "compose": {"services", "volumes"},
    "compose.service": {
        "build", "image", "restart", "init", "read_only", "cap_drop", "security_opt", "user", "tmpfs",
        "mem_limit", "stop_grace_period", "environment", "volumes", "ports", "depends_on", "healthcheck",
    },
    "compose.healthcheck": {"test", "interval", "timeout", "retries", "start_period"},
}  # fmt: skip


def documents(name: str) -> list[Any]:
    return list(YAML(typ="safe").load_all(DEPLOY / name))


def comment(name: str) -> str:
    """The words at the head of a file."""
    lines = (DEPLOY / name).read_text(encoding="utf-8").splitlines()
    head = next(i for i, line in enumerate(lines) if not line.startswith("#"))
    return "\n".join(line.removeprefix("#").removeprefix(" ") for line in lines[:head])


def holds(what: str, value: dict[str, Any], *needed: str) -> None:
    assert set(value) <= KEYS[what], f"{what} knows no {set(value) - KEYS[what]}"
    assert set(needed) <= set(value), f"{what} needs {set(needed) - set(value)}"


def loaded(folder: Path, text: str, env: dict[str, str]) -> Loaded:
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    return load(folder, env)


def quantity(text: str) -> float:
    number, unit = re.fullmatch(r"(\d+)(m|Ki|Mi|Gi|)", text).groups()  # type: ignore[union-attr]
    return float(number) * {"m": 1e-3, "": 1, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}[unit]


class TestKubernetes:
    BY_KIND: ClassVar[dict[str, Any]] = {
        d["kind"]: d for d in documents("kubernetes/eventwatch.yaml")
    }
    SET: ClassVar[Any] = BY_KIND["StatefulSet"]
    POD: ClassVar[Any] = SET["spec"]["template"]["spec"]
    BOX: ClassVar[Any] = POD["containers"][0]
    CONFIG: ClassVar[str] = BY_KIND["ConfigMap"]["data"]["config.yaml"]
    SECRETS: ClassVar[set[str]] = set(
        re.findall(r"--from-literal=(\w+)=", comment("kubernetes/eventwatch.yaml"))
    )

    def test_every_key_is_one_that_kubernetes_has(self) -> None:
        versions = {"StatefulSet": "apps/v1", "Service": "v1", "ConfigMap": "v1"}
        assert set(self.BY_KIND) == set(versions)
        for kind, document in self.BY_KIND.items():
            holds(kind, document, "metadata")
            assert document["apiVersion"] == versions[kind]
            assert set(document["metadata"]) <= META
            assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", document["metadata"]["name"])
        holds("StatefulSet.spec", self.SET["spec"], "serviceName", "selector", "template")
        holds("pod", self.POD, "containers")
        holds("pod.securityContext", self.POD["securityContext"])
        holds("container", self.BOX, "name", "image", "resources")
        holds("container.securityContext", self.BOX["securityContext"])
        for mount in self.BOX["volumeMounts"]:
            holds("mount", mount, "name", "mountPath")
        for volume in self.POD["volumes"]:
            holds("volume", volume, "name")
            assert len(volume) == 2
        for claim in self.SET["spec"]["volumeClaimTemplates"]:
            holds("claim.spec", claim["spec"], "accessModes", "resources")
        holds("Service.spec", self.BY_KIND["Service"]["spec"], "selector", "ports")

    def test_the_selector_finds_the_pod_and_the_service_is_the_set_s(self) -> None:
        labels = self.SET["spec"]["template"]["metadata"]["labels"]
        assert self.SET["spec"]["selector"]["matchLabels"].items() <= labels.items()
        assert self.BY_KIND["Service"]["spec"]["selector"].items() <= labels.items()
        assert self.SET["spec"]["serviceName"] == self.BY_KIND["Service"]["metadata"]["name"]

    def test_the_user_is_the_image_s_and_may_write_its_volume(self) -> None:
        (user, group) = re.findall(r"(?m)^USER (\d+):(\d+)$", DOCKERFILE)[0]
        rights = self.POD["securityContext"]
        assert (rights["runAsUser"], rights["runAsGroup"]) == (int(user), int(group))
        assert rights["fsGroup"] == int(group)
        assert rights["seccompProfile"] == {"type": "RuntimeDefault"}

    def test_it_has_time_to_stop_and_bounds(self) -> None:
        assert self.POD["terminationGracePeriodSeconds"] > STOPS_WITHIN
        resources = self.BOX["resources"]
        assert quantity(resources["requests"]["memory"]) <= quantity(resources["limits"]["memory"])
        assert quantity(resources["requests"]["cpu"]) > 0
        tag = self.BOX["image"].rpartition(":")[2]
        assert tag not in ("", "latest", self.BOX["image"])

    @pytest.mark.parametrize(
        ("probe", "path"),
        [("startupProbe", "/livez"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")],
    )
    def test_a_probe_asks_what_is_answered_without_a_token(
        self, probe: str, path: str, tmp_path: Path
    ) -> None:
        asked = self.BOX[probe]
        holds("probe", asked, "httpGet", "periodSeconds")
        assert asked["httpGet"] == {"path": path, "port": "web"}
        (port,) = self.BOX["ports"]
        web = loaded(
            tmp_path, self.CONFIG, dict.fromkeys(self.SECRETS, "s" * 16) | self.env()
        ).settings.web
        assert web is not None
        assert port == {"name": "web", "containerPort": web.port}

    def env(self) -> dict[str, str]:
        return {
            "SLACK_BOT_TOKEN": "xoxb-1-secret",
            "WAREHOUSE_URL": "postgresql://warehouse/analytics",
            "EVENTWATCH_STATE": "postgresql://state/eventwatch",
        }

    def test_every_variable_of_the_config_is_in_the_secret(self) -> None:
        assert set(re.findall(r"\$\{(\w+)\}", self.CONFIG)) == self.SECRETS
        assert self.BOX["envFrom"] == [{"secretRef": {"name": "eventwatch"}}]

    def test_what_it_reads_is_mounted_and_what_it_writes_may_be_written(
        self, tmp_path: Path
    ) -> None:
        mounts = {m["mountPath"]: m for m in self.BOX["volumeMounts"]}
        writable = [path for path, mount in mounts.items() if not mount.get("readOnly")]
        assert writable == [OWN]
        assert f"HOME={OWN}" in DOCKERFILE
        assert f"TMPDIR={OWN}" in DOCKERFILE
        settings = loaded(
            tmp_path, self.CONFIG, dict.fromkeys(self.SECRETS, "s" * 16) | self.env()
        ).settings
        assert str(settings.history).startswith(f"{OWN}/")
        for key in ("source", "checks"):
            (path,) = re.findall(rf"{key}: ([\w/]+?)/?[\s}}]", self.CONFIG)
            assert mounts[path]["readOnly"] is True
        env = {e["name"]: e["value"] for e in self.BOX["env"]}
        (name,) = self.BY_KIND["ConfigMap"]["data"]
        assert mounts[str(Path(env["EVENTWATCH_CONFIG"]).parent)]["name"] == "config"
        assert Path(env["EVENTWATCH_CONFIG"]).name == name

    def test_folders_as_a_config_map_makes_them_are_read_once(self, tmp_path: Path) -> None:
        """A kubelet mounts links to a folder of dots, so that all files change at one instant."""
        project = Project(tmp_path / "made")
        project.declare("user_a")
        project.rows(steady(["user_a"], until=datetime.now(UTC), days=2))
        project.config()
        text = (project.folder / "config.yaml").read_text(encoding="utf-8")
        mounted = tmp_path / "etc"
        text = text.replace("source: contracts/", f"source: {mounted}/contracts/")
        files = {
            "config": {"config.yaml": f"checks: {mounted}/checks\n{text}"},
            "contracts": {
                f.name: f.read_text(encoding="utf-8")
                for f in (project.folder / "contracts").glob("*.proto")
            },
            "checks": {"defaults.yaml": "- {kind: drift, grace: 12h}\n"},
        }
        for folder, held in files.items():
            real = mounted / folder / "..2026_03_01_12_00_00.1234"
            real.mkdir(parents=True)
            (mounted / folder / "..data").symlink_to(real.name)
            for name, content in held.items():
                (real / name).write_text(content, encoding="utf-8")
                (mounted / folder / name).symlink_to(f"..data/{name}")
        config = mounted / "config" / "config.yaml"
        found = validate(config)
        assert found.faults == ()
        assert found.exposures == ("events",)
        assert len(load(config, {}).checks) == 1, "the definition was read twice"


class TestCompose:
    FILE: ClassVar[Any] = documents("docker-compose.yml")[0]
    OURS: ClassVar[Any] = FILE["services"]["eventwatch"]

    def test_every_key_is_one_that_compose_has(self) -> None:
        holds("compose", self.FILE, "services")
        for service in self.FILE["services"].values():
            holds("compose.service", service, "image", "restart")
            assert re.fullmatch(r"[\w./-]+:(?!latest)[\w.-]+", service["image"])
            if "healthcheck" in service:
                holds("compose.healthcheck", service["healthcheck"], "test", "interval", "retries")

    def test_it_waits_for_a_state_that_says_when_it_is_ready(self) -> None:
        assert self.OURS["depends_on"] == {"state": {"condition": "service_healthy"}}
        assert "healthcheck" in self.FILE["services"]["state"]
        # The daemon's own check is the image's.
        assert "HEALTHCHECK" in DOCKERFILE

    def test_volumes_are_declared_and_only_its_own_folder_may_be_written(self) -> None:
        named = set()
        for service in self.FILE["services"].values():
            for volume in service["volumes"]:
                source, _, *mode = volume.split(":")
                if source.startswith("."):
                    assert mode == ["ro"], volume
                else:
                    named.add(source)
        assert named == set(self.FILE["volumes"])
        assert f"history:{OWN}" in self.OURS["volumes"]
        assert int(self.OURS["stop_grace_period"].removesuffix("s")) > STOPS_WITHIN

    def test_the_lines_that_it_asks_for_make_a_config_that_is_taken(self, tmp_path: Path) -> None:
        asked = re.findall(r"(?m)^  ((?:state|history|web): .*)$", comment("docker-compose.yml"))
        assert len(asked) == 3
        project = Project(tmp_path / "made")
        project.declare("user_a")
        project.config()
        text = (project.folder / "config.yaml").read_text(encoding="utf-8")
        text = re.sub(r"(?m)^(state|history): .*\n", "", text) + "\n".join(asked) + "\n"
        given = self.OURS["environment"]
        assert set(re.findall(r"\$\{(\w+)\}", text)) <= set(given)
        env = dict.fromkeys(given, "s" * 16) | {"EVENTWATCH_STATE": "postgresql://state/eventwatch"}
        settings = loaded(project.folder, text, env).settings
        assert str(settings.history).startswith(f"{OWN}/")
        assert settings.web is not None
        (port,) = self.OURS["ports"]
        assert port == f"127.0.0.1:{settings.web.port}:{settings.web.port}"

    def test_every_secret_must_be_given(self) -> None:
        text = (DEPLOY / "docker-compose.yml").read_text(encoding="utf-8")
        body = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
        assert {m for m in re.findall(r"\$\{[^}]*\}", body) if ":?" not in m} == set()
