"""What a wheel and the metadata promise."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import metadata, requires
from pathlib import Path

import weft
from weft import _core

ROOT = Path(__file__).parents[2]


def test_version_is_said_once():
    assert metadata("weft")["Version"] == weft.__version__
    assert f"## {weft.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_the_core_needs_no_torch():
    core = [r for r in requires("weft") or [] if "extra ==" not in r]
    assert not any(re.match(r"torch|triton|scikit|scipy|matplotlib", r) for r in core)


def test_requirements_are_lower_bounds():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [r for group in project["optional-dependencies"].values() for r in group]
    for requirement in project["dependencies"] + extras:
        assert re.fullmatch(r"[a-z0-9-]+>=[0-9.]+", requirement), requirement


def test_every_requirement_is_in_the_constraints():
    pinned = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = project["project"]["dependencies"] + [
        r for group in project["project"]["optional-dependencies"].values() for r in group
    ]
    assert {r.split(">=")[0] for r in wanted} <= pinned


def test_the_core_is_built_for_any_cpu():
    # -march=native would leave no trace but these flags in the build.
    for file in [ROOT / "CMakeLists.txt", ROOT / "pyproject.toml"]:
        assert "-march" not in file.read_text()


def test_the_stubs_name_what_the_core_has():
    stub = (ROOT / "src/weft/_core.pyi").read_text()
    named = set(re.findall(r"^(?:def|class) (\w+)", stub, re.MULTILINE))
    assert named == {name for name in dir(_core) if not name.startswith("_")}
