"""The command as a person uses it, on a small package of its own."""

from pathlib import Path

import pytest

from localnet.toolchain.__main__ import main

pytestmark = pytest.mark.node

TILL = """module shop::till;

public struct Till has key { id: UID, sum: u64 }

public fun total(till: &Till): u64 { till.sum }
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "sources").mkdir()
    (tmp_path / "Move.toml").write_text('[package]\nname = "shop"\nedition = "2024"\n\n[addresses]\nshop = "0x0"\n')
    (tmp_path / "sources" / "till.move").write_text(TILL)
    return tmp_path


def test_compiled_bytecode_passes_the_check(shop: Path) -> None:
    assert main(["compile", str(shop)]) == 0
    assert main(["compile", "--check", str(shop)]) == 0
    assert sorted(file.name for file in (shop / "bytecode").iterdir()) == ["package.json", "till.mv"]


def test_a_changed_source_fails_the_check_and_is_named(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["compile", str(shop)])
    (shop / "sources" / "till.move").write_text(TILL.replace("{ till.sum }", "{ till.sum + 1 }"))
    assert main(["compile", "--check", str(shop)]) == 1
    complaint = capsys.readouterr().err
    assert "till.mv: differs" in complaint
    assert f"compile {shop}" in complaint


def test_bytecode_changed_by_hand_fails_the_check(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["compile", str(shop)])
    kept = shop / "bytecode" / "till.mv"
    kept.write_bytes(kept.read_bytes()[:-1])
    assert main(["compile", "--check", str(shop)]) == 1
    assert "till.mv: differs" in capsys.readouterr().err


def test_the_check_changes_nothing(shop: Path) -> None:
    assert main(["compile", "--check", str(shop)]) == 1
    assert not (shop / "bytecode").exists()


def test_bytecode_of_a_removed_module_goes(shop: Path) -> None:
    (shop / "sources" / "old.move").write_text("module shop::old;\n")
    main(["compile", str(shop)])
    (shop / "sources" / "old.move").unlink()
    main(["compile", str(shop)])
    assert not (shop / "bytecode" / "old.mv").exists()


def test_a_compile_error_shows_file_line_and_code(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shop / "sources" / "till.move").write_text(TILL.replace("till.sum", "till.sun"))
    assert main(["compile", str(shop)]) == 2
    complaint = capsys.readouterr().err
    assert "sources/till.move:5" in complaint
    assert "till.sun" in complaint
    assert "\x1b" not in complaint
    assert not (shop / "bytecode").exists()


def test_a_directory_without_a_package_is_told_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", str(tmp_path)]) == 3
    assert "Move.toml" in capsys.readouterr().err


def test_a_dependency_beside_the_framework_is_refused_not_downloaded(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (shop / "Move.toml").open("a") as manifest:
        manifest.write('\n[dependencies]\nOther = { git = "https://example.org/other.git", subdir = "other", rev = "main" }\n')
    assert main(["compile", str(shop)]) == 2
    assert "may depend on the Sui framework only" in capsys.readouterr().err


def test_functions_and_structs_are_listed(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["compile", str(shop)])
    assert main(["abi", str(shop)]) == 0
    listed = capsys.readouterr().out
    assert "public fun till::total(&0x0::till::Till): (u64)" in listed
    assert "struct till::Till { id: 0x2::object::UID, sum: u64 }" in listed


def test_a_failing_move_test_fails_the_run(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shop / "tests").mkdir()
    (shop / "tests" / "till_tests.move").write_text("#[test_only]\nmodule shop::till_tests;\n#[test] fun good() {}\n#[test] fun bad() { abort 77 }\n")
    assert main(["test", str(shop)]) == 1
    report = capsys.readouterr().out
    assert "[ FAIL    ] shop::till_tests::bad" in report
    assert "[ PASS    ] shop::till_tests::good" in report
    assert "aborted with code 77" in report


def test_a_package_without_tests_does_not_pass(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test", str(shop)]) == 1
    assert "no Move tests" in capsys.readouterr().err
