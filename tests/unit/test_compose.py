"""docker-compose.yml and compose/cluster.yml are held to what the stack promises; nothing is started."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from workbench.config import Settings
from workbench.config.clock import machine_zone

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "compose"
GIGABYTE = 1024**3
DIGEST = "@sha256:[0-9a-f]{64}"
HOST_PORTS = {5676, 5677, 4566, 5691, 9500, 5006}
SETTING = re.compile(r"\$\{(\w+)(?:(:[-?])([^}]*))?\}")


class Loader(yaml.SafeLoader):
    """YAML with the tag by which an override replaces a value instead of adding to it."""


class Override(list[Any]):
    """What stood behind !override."""


def _override(loader: Loader, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return {"!override": loader.construct_mapping(node, deep=True)}
    assert isinstance(node, yaml.SequenceNode)
    return Override(loader.construct_sequence(node, deep=True))


Loader.add_constructor("!override", _override)


def merged(base: Any, over: Any) -> Any:
    """``over`` laid upon ``base`` as Docker Compose does it."""
    if isinstance(over, Override):
        return list(over)
    if isinstance(over, dict) and "!override" in over:
        return over["!override"]
    if isinstance(base, dict) and isinstance(over, dict):
        return base | {key: merged(base.get(key), value) for key, value in over.items()}
    if isinstance(base, list) and isinstance(over, list):
        return base + over
    return over


def read(*names: str) -> dict[str, Any]:
    """The services of these files, laid one upon another."""
    found: Any = {}
    for name in names:
        found = merged(found, yaml.load((ROOT / name).read_text(), Loader))
    return dict(found["services"])


SINGLE = read("docker-compose.yml")
CLUSTER = read("docker-compose.yml", "compose/cluster.yml")
FORMS = {"single": SINGLE, "cluster": CLUSTER}
SERVICES = [
    pytest.param(service, id=f"{form}-{name}") for form, all_ in FORMS.items() for name, service in all_.items()
]
TEXTS = [pytest.param(path, id=path.name) for path in (ROOT / "docker-compose.yml", COMPOSE / "cluster.yml")]


def filled(text: str) -> str:
    """The text with the defaults of its settings."""
    return SETTING.sub(lambda m: m[3] if m[2] == ":-" else "x", text)


def size(text: str) -> int:
    """Bytes of a memory limit such as 512m."""
    return int(text[:-1]) * {"k": 1024, "m": 1024**2, "g": GIGABYTE}[text[-1]]


def command(service: dict[str, Any]) -> str:
    return filled(" ".join(service["command"]))


def test_the_services_are_those_that_the_papers_name() -> None:
    assert set(SINGLE) == {"master", "replica", "risingwave", "minio", "risingwave-meta", "prometheus", "workbench"}
    assert set(CLUSTER) == set(SINGLE) | {"meta", "compute", "compactor"}
    papers = (ROOT / "README.md").read_text() + (ROOT / "docs" / "full-stack.md").read_text()
    for name in CLUSTER:
        assert f"`{name}`" in papers, name


@pytest.mark.parametrize("service", SERVICES)
def test_images_are_pinned(service: dict[str, Any]) -> None:
    image = filled(service["image"])
    assert re.search(r":[vV]?\d|:RELEASE\.\d", image), image
    assert "latest" not in image


def test_the_versions_are_the_ones_that_the_project_is_written_for() -> None:
    images = {filled(SINGLE[name]["image"]).partition(".")[0] for name in ("master", "replica", "risingwave-meta")}
    assert images == {"postgres:17"}
    for services in FORMS.values():
        images = {s["image"] for s in services.values() if "risingwave:" in s["image"]}
        assert images == {"${RW_IMAGE:-risingwavelabs/risingwave:v3.0.3}"}
    base = re.search(
        r"^ARG PYTHON_IMAGE=(\S+)\nFROM \$\{PYTHON_IMAGE\}$", (COMPOSE / "Dockerfile").read_text(), re.MULTILINE
    )
    assert base is not None
    assert re.fullmatch(rf"python:3\.\d+\.\d+-slim-\w+{DIGEST}", base[1])
    assert filled(SINGLE["workbench"]["build"]["args"]["PYTHON_IMAGE"]) == base[1]


@pytest.mark.parametrize("service", SERVICES)
def test_images_of_others_are_pinned_by_digest(service: dict[str, Any]) -> None:
    """Not RisingWave's: nothing public tells the digest of v3.0.3."""
    image = filled(service["image"])
    if not image.startswith(("sales-workbench:", "risingwavelabs/")):
        assert re.search(rf"{DIGEST}$", image), image


# What each may do beyond nothing; and who may write beside its own files: RisingWave, which unpacks what it needs.
MAY = {name: {"CHOWN", "FOWNER", "SETGID", "SETUID"} for name in ("master", "replica", "risingwave-meta")}
WRITES = {"risingwave", "meta", "compute", "compactor"}


@pytest.mark.parametrize("services", FORMS.values(), ids=FORMS)
def test_services_have_no_more_rights_than_they_need(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert set(service.get("cap_add", ())) == MAY.get(name, set()), name
        assert service.get("read_only", False) is (name not in WRITES), name
        assert not service.get("privileged") and not service.get("user"), name


def test_the_app_writes_to_memory_and_to_its_data_directory_as_an_ordinary_user() -> None:
    recipe = (COMPOSE / "Dockerfile").read_text()
    made = re.search(r"useradd --uid (\d+) ", recipe)
    assert made is not None
    assert f"/home/workbench:uid={made[1]},gid={made[1]},mode=0700" in SINGLE["workbench"]["tmpfs"]
    place = SINGLE["workbench"]["environment"]["WORKBENCH_DATA_DIR"]
    assert SINGLE["workbench"]["volumes"] == [f"workbench:{place}"]
    assert f"install -d -o workbench -g workbench -m 0700 {place}\n" in recipe  # a new volume is its image's folder


@pytest.mark.parametrize("services", FORMS.values(), ids=FORMS)
def test_ports_are_published_on_loopback_only(services: dict[str, Any]) -> None:
    published = [filled(port) for service in services.values() for port in service.get("ports", [])]
    for port in published:
        assert port.startswith("127.0.0.1:"), port
    found = [int(port.split(":")[1]) for port in published]
    assert sorted(found) == sorted(HOST_PORTS)


@pytest.mark.parametrize("services", FORMS.values(), ids=FORMS)
def test_memory_limits_add_up_to_at_most_8_gb(services: dict[str, Any]) -> None:
    assert sum(size(service["mem_limit"]) for service in services.values()) <= 8 * GIGABYTE


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_restarts_and_bounds_its_log(service: dict[str, Any]) -> None:
    assert service["restart"] == "unless-stopped"
    assert {"max-size", "max-file"} <= service["logging"]["options"].keys()


OF_OTHERS = {"WORKBENCH_SMTP_PASSWORD"}  # a server of mail is somebody else's, and there may be none


@pytest.mark.parametrize("path", TEXTS)
def test_passwords_come_from_env_and_an_empty_one_says_what_to_do(path: Path) -> None:
    text = path.read_text()
    secrets = {m[1]: (m[2], m[3]) for m in SETTING.finditer(text) if re.search("PASSWORD|SECRET|KEY|TOKEN", m[1])}
    assert secrets
    for name, (kind, said) in secrets.items():
        assert name in OF_OTHERS or (kind, said) == (":?", "run `make env` first"), name
    for line in text.splitlines():
        found = re.match(r"\s+\w*(?:PASSWORD|SECRET\w*|KEY\w*): *(.*)", line)
        assert not found or found[1].startswith("${"), line
    assert "RW_LICENSE_KEY" not in text  # an empty one would switch features off for good


@pytest.mark.parametrize("service", SERVICES)
def test_health_is_proven_over_tcp(service: dict[str, Any]) -> None:
    check = service["healthcheck"]
    assert {"interval", "timeout", "retries", "start_period"} <= check.keys()
    kind, *words = check["test"]
    assert kind in ("CMD", "CMD-SHELL")
    assert kind == "CMD" or len(words) == 1, "CMD-SHELL runs its first argument only"
    test = " ".join(words)
    assert "pg_isready" not in test  # true while the image's server for its first start runs
    assert re.search(r"-h 127\.0\.0\.1|//127\.0\.0\.1|/dev/tcp/127\.0\.0\.1|healthy\.sh 4566|mc .*local/", test), test


@pytest.mark.parametrize("services", FORMS.values(), ids=FORMS)
def test_sql_servers_prove_their_health_by_a_query(services: dict[str, Any]) -> None:
    for name in ("master", "replica", "risingwave-meta"):
        assert re.search(r"psql -h 127\.0\.0\.1 .*select 1", " ".join(services[name]["healthcheck"]["test"]))
    assert services["risingwave"]["healthcheck"]["test"] == ["CMD", "bash", "/healthy.sh", "4566"]
    assert "select 1" in (COMPOSE / "risingwave" / "healthy.sh").read_text()


@pytest.mark.parametrize("services", FORMS.values(), ids=FORMS)
def test_services_wait_for_the_health_of_what_they_need(services: dict[str, Any]) -> None:
    for service in services.values():
        for needed, how in service.get("depends_on", {}).items():
            assert needed in services
            assert how == {"condition": "service_healthy"}
    assert set(services["replica"]["depends_on"]) == {"master"}
    assert set(services["workbench"]["depends_on"]) == {"master", "replica"}
    first = services.get("meta", services["risingwave"])
    assert set(first["depends_on"]) == {"minio", "risingwave-meta"}


def test_data_lives_in_named_volumes() -> None:
    named = set(yaml.load((ROOT / "docker-compose.yml").read_text(), Loader)["volumes"])
    used = {v.split(":")[0]: name for name, s in SINGLE.items() for v in s.get("volumes", []) if not v.startswith("./")}
    assert {volume: name for name, volume in zip(named, named, strict=True)} == used
    for service in CLUSTER.values():
        for volume in service.get("volumes", []):
            source, _, mode = volume.partition(":")
            if source.startswith("./"):
                assert (ROOT / source).exists(), source
                assert mode.endswith(":ro"), volume


def test_risingwave_keeps_its_state_in_the_stores_and_within_its_limits() -> None:
    risingwave = SINGLE["risingwave"]
    environment = risingwave["environment"]
    assert "single_node" in command(risingwave)
    assert environment["RW_STATE_STORE"].startswith("hummock+minio://")
    assert environment["RW_STATE_STORE"].endswith("@minio:9000/hummock001")
    assert "hummock001" in " ".join(SINGLE["minio"]["healthcheck"]["test"])  # which makes the bucket
    assert environment["RW_BACKEND"] == "sql"
    assert environment["RW_DATA_DIRECTORY"]
    assert float(filled(risingwave["cpus"])) <= 4
    for services, name in ((SINGLE, "risingwave"), (CLUSTER, "compute")):
        memory = re.search(r"--total-memory-bytes=(\d+)", command(services[name]))
        assert memory is not None
        assert int(memory[1]) < size(services[name]["mem_limit"])
        assert size(services[name]["environment"]["JVM_HEAP_SIZE"]) < size(services[name]["mem_limit"])


def test_the_log_of_risingwave_has_no_password() -> None:
    """At the level INFO it tells the address of its store, and all that its reader of the master was given (v3.0.3)."""
    for services in FORMS.values():
        for service in services.values():
            if "risingwave:" in service["image"]:
                assert service["environment"]["RUST_LOG"] == "warn,risingwave_connector_node=warn"


def test_a_compactor_has_the_memory_without_which_it_does_not_start() -> None:
    """As it reckons itself: src/storage/compactor/src/server.rs and src/cmd_all/src/single_node.rs of v3.0.3."""
    system = tomllib.loads((COMPOSE / "risingwave" / "risingwave.toml").read_text())["system"]
    total = re.search(r"--total-memory-bytes=(\d+)", command(SINGLE["risingwave"]))
    assert total is not None
    file = system["sstable_size_mb"] * 1024**2 + 64 * 1024
    for memory in (int(total[1]) / 8, size(CLUSTER["compactor"]["mem_limit"])):
        assert memory * 0.8 - 128 * 1024**2 > 2 * file
    for service in (SINGLE["risingwave"], CLUSTER["meta"]):  # who hands it to the compactor
        assert "--config-path=/risingwave.toml" in command(service)


def test_the_cluster_form_has_nodes_over_the_same_stores_and_scales_its_compute_nodes() -> None:
    for name, role in {
        "meta": "meta-node",
        "compute": "compute-node",
        "compactor": "compactor-node",
        "risingwave": "frontend-node",
    }.items():
        assert role in command(CLUSTER[name])
        assert "single_node" not in command(CLUSTER[name])
    for name in (
        "RW_STATE_STORE",
        "RW_DATA_DIRECTORY",
        "RW_BACKEND",
        "RW_SQL_ENDPOINT",
        "RW_SECRET_STORE_PRIVATE_KEY_HEX",
    ):
        assert CLUSTER["meta"]["environment"][name] == SINGLE["risingwave"]["environment"][name]
    compute = CLUSTER["compute"]
    assert not {"ports", "container_name", "hostname"} & compute.keys()
    assert "$$(hostname -i)" in command(compute)


def test_prometheus_reads_every_form() -> None:
    config = yaml.safe_load((COMPOSE / "prometheus" / "prometheus.yml").read_text())
    targets = {job["job_name"]: job for job in config["scrape_configs"]}
    found = {
        f"{name}:{sd['port']}"
        for job in targets.values()
        for sd in job.get("dns_sd_configs", [])
        for name in sd["names"]
    }
    for name, port in {"meta": 1250, "compute": 1222, "compactor": 1260, "risingwave": 1250}.items():
        assert f"{name}:{port}" in found
        assert f"0.0.0.0:{port}" in command(CLUSTER[name])
    assert "risingwave:1250" in found
    assert "0.0.0.0:1250" in command(SINGLE["risingwave"])
    assert targets["workbench"]["static_configs"] == [{"targets": ["workbench:5006"]}]
    shown = targets["workbench"]["authorization"]["credentials_file"]
    assert f'"$$WORKBENCH_METRICS_TOKEN" >{shown} ' in " ".join(SINGLE["prometheus"]["entrypoint"])
    assert f"{Path(shown).parent}:mode=1777" in SINGLE["prometheus"]["tmpfs"]
    assert SINGLE["minio"]["environment"]["MINIO_PROMETHEUS_AUTH_TYPE"] == "public"


def test_the_app_asks_for_a_login_and_has_an_admin_before_it_listens() -> None:
    workbench = SINGLE["workbench"]
    assert workbench["environment"]["WORKBENCH_LOGIN"] == "accounts"
    first, admin, forgets, serves = workbench["command"][2].split("&&")
    assert "workbench migrate" in first
    assert "workbench user add admin --role admin --unless-any" in admin
    assert "WORKBENCH_ADMIN_PASSWORD" not in admin.split("|")[1]  # arguments of a program are seen by all
    assert "unset WORKBENCH_ADMIN_PASSWORD" in forgets
    assert "exec workbench serve" in serves
    assert "/health" in " ".join(workbench["healthcheck"]["test"])


def test_each_alert_says_what_it_is_and_what_to_do() -> None:
    groups = yaml.safe_load((COMPOSE / "prometheus" / "alerts.yml").read_text())["groups"]
    tested = (COMPOSE / "prometheus" / "alerts.test.yml").read_text()
    rules = [rule for group in groups for rule in group["rules"]]
    assert {"FollowerStale", "SlotInactive", "SlotLost", "SlotRetainsWal", "MasterDown", "WorkbenchDown"} <= {
        rule["alert"] for rule in rules
    }
    for rule in rules:
        assert rule["annotations"].keys() == {"summary", "do"}
        assert rule["alert"] in tested
        assert rule["for"]


@pytest.mark.parametrize(
    "arguments",
    [("config", "--syntax-only", "prometheus.yml"), ("rules", "alerts.yml"), ("test", "rules", "alerts.test.yml")],
)
def test_promtool_agrees(arguments: tuple[str, ...]) -> None:
    promtool = shutil.which("promtool")
    assert promtool, "install the package prometheus, which has promtool (`make test` does as root)"
    check = arguments if arguments[0] == "test" else ("check", *arguments)
    done = subprocess.run([promtool, *check], cwd=COMPOSE / "prometheus", capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_scripts_have_no_fault_that_shellcheck_knows() -> None:
    shellcheck = shutil.which("shellcheck")
    if shellcheck is None:
        pytest.skip("there is no shellcheck on this machine (the package shellcheck)")
    scripts = sorted(str(path.relative_to(ROOT)) for path in COMPOSE.rglob("*.sh"))
    assert scripts
    done = subprocess.run([shellcheck, "-x", *scripts], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


def run_env(file: Path) -> dict[str, str]:
    """What compose/env.sh leaves in the file."""
    subprocess.run(["sh", str(COMPOSE / "env.sh"), str(file)], check=True, capture_output=True, timeout=30)
    return dict(line.split("=", 1) for line in file.read_text().splitlines() if re.match(r"\w+=", line))


def test_env_makes_each_password_once_random_and_private(tmp_path: Path) -> None:
    found = run_env(tmp_path / ".env")
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    passwords = [value for name, value in found.items() if name.endswith(("_PASSWORD", "_TOKEN"))]
    assert len(set(passwords)) == len(passwords) == 12
    assert all(re.fullmatch("[0-9a-f]{48}", password) for password in passwords)
    assert re.fullmatch("[0-9a-f]{32}", found["RW_SECRET_STORE_PRIVATE_KEY_HEX"])
    before = (tmp_path / ".env").read_bytes()
    assert run_env(tmp_path / ".env") == found
    assert (tmp_path / ".env").read_bytes() == before
    assert run_env(tmp_path / "other.env")["MASTER_DB_PASSWORD"] != found["MASTER_DB_PASSWORD"]


@pytest.mark.parametrize("zone", ["Asia/Kolkata", ":Europe/Berlin", "CET-1CEST", ""])
def test_env_writes_the_time_zone_that_the_workbench_finds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, zone: str
) -> None:
    monkeypatch.setenv("TZ", zone)
    assert run_env(tmp_path / ".env")["WORKBENCH_TIMEZONE"] == machine_zone()


def test_env_keeps_what_is_set_and_fills_what_is_empty(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    example = (ROOT / ".env.example").read_text()
    file.write_text(example.replace("MASTER_DB_OWNER_PASSWORD=", 'MASTER_DB_OWNER_PASSWORD="mine"'))
    file.chmod(0o644)
    found = run_env(file)
    assert found["MASTER_DB_OWNER_PASSWORD"] == '"mine"'
    assert len(found["MASTER_DB_PASSWORD"]) == 48
    assert file.read_text().startswith(example[:100])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    settings = Settings(_env_file=file)
    assert settings.master_db_owner_password.get_secret_value() == "mine"
    assert (settings.master_db_host, settings.master_db_port) == ("127.0.0.1", 5676)
    assert (settings.replica_db_host, settings.risingwave_host) == ("127.0.0.1", "127.0.0.1")


def test_env_writes_everything_that_compose_asks_for(tmp_path: Path) -> None:
    found = run_env(tmp_path / ".env")
    for path in (ROOT / "docker-compose.yml", COMPOSE / "cluster.yml"):
        asked = {m[1] for m in SETTING.finditer(path.read_text()) if m[2] == ":?"}
        assert asked <= found.keys()
    example = (ROOT / ".env.example").read_text()
    for name in found:
        assert name in example, name


@pytest.mark.parametrize("over", [(), ("-f", "compose/cluster.yml")], ids=["single", "cluster"])
def test_docker_compose_reads_the_files_as_we_do(over: tuple[str, ...], tmp_path: Path) -> None:
    if not has_compose():
        pytest.skip("there is no `docker compose` on this machine; the files were read as YAML only")
    run_env(tmp_path / ".env")
    base = ["docker", "compose", "--env-file", str(tmp_path / ".env"), "-f", "docker-compose.yml", *over]
    done = subprocess.run([*base, "config"], cwd=ROOT, capture_output=True, text=True, timeout=60, env=bare())
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    assert set(services) == set(CLUSTER if over else SINGLE)
    for name, ours in (CLUSTER if over else SINGLE).items():
        assert int(services[name]["mem_limit"]) == size(ours["mem_limit"])
        assert len(services[name].get("ports", [])) == len(ours.get("ports", []))
        assert set(services[name].get("depends_on", {})) == set(ours.get("depends_on", {}))
    (tmp_path / "empty.env").touch()
    base[3] = str(tmp_path / "empty.env")
    refused = subprocess.run([*base, "config"], cwd=ROOT, capture_output=True, text=True, timeout=60, env=bare())
    assert refused.returncode != 0
    assert "run `make env` first" in refused.stderr


def bare() -> dict[str, str]:
    """An environment without settings."""
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}


def has_compose() -> bool:
    """True when Docker has its compose plugin; the engine need not run."""
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "compose", "version"], capture_output=True, timeout=30, env=bare()).returncode == 0


def test_the_image_gets_no_secrets_and_everything_that_it_is_built_from() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored
    allowed = {line[1:] for line in ignored if line.startswith("!")}
    copied = re.findall(r"^COPY (.*) \S+$", (COMPOSE / "Dockerfile").read_text(), re.MULTILINE)
    copied_names = {word for line in copied for word in line.split()}
    assert copied_names <= allowed
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert {name.split("/")[0] for name in included} <= copied_names
    assert not [name for name in allowed if ".env" in name or not (ROOT / name).exists()]
    assert re.search(r"^USER workbench$", (COMPOSE / "Dockerfile").read_text(), re.MULTILINE)


def test_the_image_has_the_version_of_the_program() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert SINGLE["workbench"]["image"] == f"sales-workbench:{version}"
    assert f"\n## {version}\n" in (ROOT / "CHANGELOG.md").read_text()
