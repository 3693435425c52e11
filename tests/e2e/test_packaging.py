"""The wheel in an empty environment: the command is there, and so are the data files and every built-in plugin."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def call(*words: str | Path, cwd: Path) -> str:
    """Run a program without anything of this environment's Python; return what it prints."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(
        [str(word) for word in words], cwd=cwd, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"{words[0]} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy of what a checkout holds, so that no build leaves anything in it."""
    place = tmp_path_factory.mktemp("build")
    copy = place / "checkout"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "config.toml"):
        shutil.copy(ROOT / name, copy)
    for name in ("omni_tui", "styles"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    call(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", place / "dist", cwd=copy)
    [built] = (place / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel and the locked dependencies into an empty environment; return its directory of programs."""
    place = tmp_path_factory.mktemp("empty")
    uv = (sys.executable, "-m", "uv")
    call(*uv, "venv", "--python", sys.executable, place / "venv", cwd=place)
    python = place / "venv" / "bin" / "python"
    call(*uv, "pip", "install", "--python", python, "--require-hashes", "-r", ROOT / "requirements.lock", cwd=place)
    call(*uv, "pip", "install", "--python", python, "--no-deps", wheel, cwd=place)
    return python.parent


def test_the_wheel_holds_the_package_the_data_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "omni_tui/data/config.toml" in names
    assert any(name.startswith("omni_tui/data/styles/") and name.endswith(".tcss") for name in names)
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"omni_tui"}
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_command_works_where_nothing_but_the_wheel_is_installed(installed: Path, tmp_path: Path) -> None:
    program = installed / "omni-tui"
    assert call(program, "--version", cwd=tmp_path).startswith("omni-tui ")
    call(program, "init", "fleet", cwd=tmp_path)
    assert (tmp_path / "fleet" / "config.toml").read_bytes() == (ROOT / "config.toml").read_bytes()
    assert '"ok":true' in call(program, "doctor", "--json", cwd=tmp_path / "fleet")
    assert '"fault":""' in call(program, "plugins", "--json", cwd=tmp_path)
    assert "broken" not in call(program, "plugins", cwd=tmp_path)


def test_the_styles_are_found_in_the_installed_package(installed: Path, tmp_path: Path) -> None:
    found = call(
        installed / "python", "-c", "from omni_tui.resources import styles_dir; print(styles_dir())", cwd=tmp_path
    ).strip()
    assert Path(found).is_relative_to(installed.parent)
    assert {path.name for path in Path(found).rglob("*.tcss")} == {
        path.name for path in (ROOT / "styles").rglob("*.tcss")
    }


def test_both_locks_agree_and_name_no_index() -> None:
    pins = {}
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "://" not in text
        pins[name] = {line.split()[0] for line in text.splitlines() if "==" in line}
        assert text.count("--hash=sha256:") > len(pins[name])
    assert pins["requirements.lock"] <= pins["requirements-dev.lock"]
