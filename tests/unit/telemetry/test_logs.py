import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from agent.telemetry.logs import LogFormat, configure_logs
from agent.telemetry.redaction import MAX_TEXT, redact

CANARY = "canary-7f3a"


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def _logged(log_format: LogFormat = LogFormat.JSON, level: str = "info", **fields: Any) -> str:
    stream = io.StringIO()
    configure_logs(log_format, level, stream, node="b0b0")
    structlog.get_logger().info("task-committed", **fields)
    return stream.getvalue()


def test_event_is_one_line_of_json_with_the_process_s_fields() -> None:
    text = _logged(task="2222", units=7)
    line = json.loads(text)
    assert text.count("\n") == 1
    assert {name: line[name] for name in ("event", "node", "task", "units", "level")} == {
        "event": "task-committed",
        "node": "b0b0",
        "task": "2222",
        "units": 7,
        "level": "info",
    }


SECRET_FIELDS = (
    "data_key sealing_key signing_key secret password api_key mnemonic prompt completion plaintext salt payload "
    "input user_input output Authorization access_token private_key_hex"
)


@pytest.mark.parametrize("field", SECRET_FIELDS.split())
@pytest.mark.parametrize("log_format", LogFormat)
def test_secret_looking_fields_never_reach_the_log(field: str, log_format: LogFormat) -> None:
    assert CANARY not in _logged(log_format, **{field: CANARY})
    assert CANARY not in _logged(log_format, order={"inner": [{field: CANARY}]})


@pytest.mark.parametrize(
    "field", ["input_digest", "output_pk", "sealed_output_digest", "input_uri", "units", "task", "reason"]
)
def test_what_is_on_chain_anyway_is_readable(field: str) -> None:
    assert CANARY in _logged(**{field: CANARY})


def test_raw_bytes_are_logged_as_a_length() -> None:
    assert json.loads(_logged(blob=CANARY.encode()))["blob"] == f"<{len(CANARY)} bytes>"


def test_objects_are_logged_as_their_type() -> None:
    assert CANARY not in _logged(order=SimpleNamespace(prompt=CANARY))


def test_errors_and_paths_are_logged_as_their_text() -> None:
    line = json.loads(_logged(error=ValueError("too late"), file=Path("/srv/blobs")))
    assert (line["error"], line["file"]) == ("ValueError: too late", "/srv/blobs")


def test_long_text_is_cut() -> None:
    assert len(redact("a" * 100_000)) < MAX_TEXT + 40


def test_deep_or_cyclic_fields_end_somewhere() -> None:
    cyclic: dict[str, Any] = {}
    cyclic["self"] = cyclic
    assert "<deep>" in json.dumps(redact(cyclic))


def test_traceback_shows_no_local_variables() -> None:
    stream = io.StringIO()
    for log_format in LogFormat:
        configure_logs(log_format, "info", stream)
        try:
            plain = CANARY
            int("x" + plain[:0])
        except ValueError:
            structlog.get_logger().exception("failed")
    assert "ValueError" in stream.getvalue()
    assert CANARY not in stream.getvalue()


def test_lower_levels_are_left_out() -> None:
    assert _logged(level="warning") == ""


def test_unknown_level_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="use debug, info"):
        configure_logs(level="loud")


def test_foreign_warnings_come_the_same_way_and_foreign_chatter_does_not() -> None:
    stream = io.StringIO()
    configure_logs(LogFormat.JSON, "debug", stream)
    logging.getLogger("httpx").info("GET %s", CANARY)
    logging.getLogger("somewhere").warning("disk nearly full", extra={"password": CANARY})
    line = json.loads(stream.getvalue())
    assert (line["event"], line["level"]) == ("disk nearly full", "warning")
    assert CANARY not in stream.getvalue()


def test_foreign_traceback_is_logged() -> None:
    stream = io.StringIO()
    configure_logs(LogFormat.JSON, "info", stream)
    try:
        int("x")
    except ValueError:
        logging.getLogger("somewhere").exception("failed")
    assert "ValueError" in json.loads(stream.getvalue())["exception"]
