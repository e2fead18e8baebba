"""The scripts behind the two commands, with installers that only write down their calls."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHELL = "/bin/sh"


def _script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _program(path: Path, script: str) -> Path:
    path.write_text(f"#!{SHELL}\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


class Installers:
    """Answers each command by its words; without an answer it succeeds and says nothing."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.failing: list[str] = []
        self.envs: list[dict[str, str] | None] = []
        self.pip_config = ""
        self.prefix = ""

    def __call__(
        self, *words: object, env: dict[str, str] | None = None, **_: Any
    ) -> subprocess.CompletedProcess[str]:
        call = " ".join(map(str, words))
        self.calls.append(call)
        self.envs.append(env)
        said = {"config list": self.pip_config, "sys.prefix": self.prefix, "sys.version": "3.11"}
        answer = next((text for part, text in said.items() if part in call), "")
        code = int(any(part in call for part in self.failing))
        return subprocess.CompletedProcess([], code, answer, "")

    def installs(self) -> list[str]:
        return [call for call in self.calls if " install " in call]


@pytest.fixture
def installers() -> Installers:
    return Installers()


@pytest.fixture
def bootstrap(
    tmp_path: Path, installers: Installers, monkeypatch: pytest.MonkeyPatch
) -> ModuleType:
    module = _script("bootstrap")
    root = tmp_path / "a clone"
    (root / ".venv").mkdir(parents=True)
    (root / "requirements").mkdir()
    for name in ("demo", "dev", "ministack", "uv"):
        (root / "requirements" / f"{name}.txt").write_text(f"# {name}\n", encoding="ascii")
    places = {"ROOT": root, "VENV": root / ".venv", "MINISTACK_VENV": root / ".venv-ministack"}
    for name, value in {**places, "_run": installers}.items():
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(module.shutil, "which", lambda name: "/opt/uv")
    installers.prefix = str(root / ".venv")
    return module


def test_a_second_run_installs_nothing(bootstrap: ModuleType, installers: Installers) -> None:
    assert bootstrap.main("demo") == 0
    assert bootstrap.main("demo") == 0

    assert len(installers.installs()) == 1


def test_every_package_must_match_its_hash(bootstrap: ModuleType, installers: Installers) -> None:
    installers.failing = ["/opt/uv"]
    bootstrap.main("demo")

    assert len(installers.installs()) == 2
    assert all("--require-hashes" in call for call in installers.installs())


def test_changed_requirements_are_installed(bootstrap: ModuleType, installers: Installers) -> None:
    bootstrap.main("demo")
    (bootstrap.ROOT / "requirements" / "demo.txt").write_text("# new\n", encoding="ascii")
    bootstrap.main("demo")

    assert len(installers.installs()) == 2


def test_what_tests_need_is_enough_for_the_demo(
    bootstrap: ModuleType, installers: Installers
) -> None:
    bootstrap.main("dev")
    bootstrap.main("demo")
    assert len(installers.installs()) == 1


def test_the_demo_is_not_enough_for_tests(bootstrap: ModuleType, installers: Installers) -> None:
    bootstrap.main("demo")
    bootstrap.main("dev")
    assert len(installers.installs()) == 2


def test_the_emulator_gets_an_environment_of_its_own(
    bootstrap: ModuleType, installers: Installers
) -> None:
    (bootstrap.ROOT / ".venv-ministack").mkdir()
    assert bootstrap.main("ministack") == 0

    (made,) = [call for call in installers.calls if "-m venv" in call]
    (install,) = installers.installs()
    assert made.endswith(".venv-ministack")
    assert "ministack.txt" in install
    assert ".venv-ministack/bin/python" in install


def test_without_uv_pip_does_it(
    bootstrap: ModuleType, installers: Installers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: None)
    installers.failing = ["uv.txt"]

    assert bootstrap.main("demo") == 0
    assert "-m pip" in installers.installs()[-1]
    assert "demo.txt" in installers.installs()[-1]


def test_a_failed_installation_is_not_taken_for_done(
    bootstrap: ModuleType, installers: Installers, capsys: pytest.CaptureFixture[str]
) -> None:
    installers.failing = ["demo.txt"]
    assert bootstrap.main("demo") == 1
    assert "Check the network and pip's configuration" in capsys.readouterr().err

    installers.failing = []
    assert bootstrap.main("demo") == 0


def test_pips_indexes_are_uvs_indexes(
    bootstrap: ModuleType, installers: Installers, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in bootstrap.PIP_TO_UV.values():
        monkeypatch.delenv(name, raising=False)
    installers.pip_config = (
        "global.extra-index-url='https://one.example/simple https://two.example/simple'\n"
        ":env:.find-links='/first /second'\n"
        "install.index-url='https://main.example/simple'\n"
        "global.timeout='5'\n"
    )
    bootstrap.main("demo")

    (env,) = [env for env in installers.envs if env is not None]
    assert env["UV_DEFAULT_INDEX"] == "https://main.example/simple"
    assert env["UV_INDEX"] == "https://one.example/simple https://two.example/simple"
    assert env["UV_FIND_LINKS"] == "/first,/second"


def test_an_environment_that_was_moved_is_made_anew(
    bootstrap: ModuleType, installers: Installers
) -> None:
    installers.prefix = "/somewhere/else/.venv"
    bootstrap.main("demo")

    assert any("-m venv --clear" in call for call in installers.calls)


def test_a_python_without_venv_is_told_what_to_install(
    bootstrap: ModuleType, installers: Installers, capsys: pytest.CaptureFixture[str]
) -> None:
    installers.prefix, installers.failing = "", ["-m venv"]

    assert bootstrap.main("demo") == 1
    assert "python3-venv" in capsys.readouterr().err


def _find_python(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SHELL, str(ROOT / "scripts" / "find-python")],
        env={"PATH": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_newest_python_that_works_is_taken(tmp_path: Path) -> None:
    _program(tmp_path / "python3.13", "exit 127")  # a shim that only explains itself
    good = _program(tmp_path / "python3.12", "exit 0")
    _program(tmp_path / "python3", "exit 0")

    assert _find_python(tmp_path).stdout.strip() == str(good)


def test_a_python_that_is_too_old_is_not_taken(tmp_path: Path) -> None:
    _program(tmp_path / "python3", "exit 1")
    found = _find_python(tmp_path)

    assert found.returncode == 1
    assert "Python 3.11 or newer" in found.stderr


class TestChromium:
    @pytest.fixture
    def chromium(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
        module = _script("find_chromium")
        monkeypatch.setattr(module, "MAC_APPS", ())
        monkeypatch.setattr(module, "_playwrights_own", lambda: None)
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.delenv("CHROMIUM", raising=False)
        return module

    def test_the_one_that_was_named_comes_first(
        self, chromium: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _program(tmp_path / "chromium", "exit 0")
        mine = _program(tmp_path / "mine", "exit 0")
        monkeypatch.setenv("CHROMIUM", str(mine))

        assert chromium.find() == str(mine)

    def test_one_that_does_not_start_is_passed_over(
        self, chromium: ModuleType, tmp_path: Path
    ) -> None:
        _program(tmp_path / "chromium-browser", "exit 1")  # asks to install a snap
        chrome = _program(tmp_path / "google-chrome", "exit 0")

        assert chromium.find() == str(chrome)

    def test_one_is_installed_where_none_is_and_that_is_said(
        self,
        chromium: ModuleType,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        installs = f"printf '#!{SHELL}\\nexit 0\\n' > {tmp_path}/chromium; "
        installs += f"/bin/chmod 755 {tmp_path}/chromium"
        _program(tmp_path / "apt-get", f'[ "$1" = update ] || {{ {installs}; }}')
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        monkeypatch.setattr(chromium, "_install_with_playwright", lambda: None)

        assert chromium.main() == 0
        shown = capfd.readouterr()
        assert shown.out.strip() == str(tmp_path / "chromium")
        assert "getting the distribution's Chromium" in shown.err

    def test_without_any_the_way_out_is_named(
        self,
        chromium: ModuleType,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr(chromium, "_install_with_playwright", lambda: None)

        assert chromium.main() == 1
        assert "set CHROMIUM" in capsys.readouterr().err


SKIPPING = """
import pytest

@pytest.mark.skip
def test_skipped(): pass

@pytest.mark.xfail
def test_expected_to_fail(): assert False

def test_good(): pass
"""


def test_ci_fails_what_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "test_functions.py").write_text(SKIPPING, encoding="ascii")
    (tmp_path / "test_module.py").write_text("import pytest; pytest.skip(allow_module_level=True)")
    command = [sys.executable, "-m", "pytest", "-c", os.devnull, "-p", "tests.plugins.no_skips"]
    ci = subprocess.run(
        [*command, "--continue-on-collection-errors", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ci.returncode == pytest.ExitCode.TESTS_FAILED
    assert "1 failed, 1 passed, 2 errors" in ci.stdout
    assert "CI does not allow" in ci.stdout


def test_stamps_name_what_they_were_made_from(
    bootstrap: ModuleType, installers: Installers
) -> None:
    bootstrap.main("dev")
    stamp = bootstrap.VENV / bootstrap.STAMP
    assert set(json.loads(stamp.read_text())) == {"demo", "dev"}
