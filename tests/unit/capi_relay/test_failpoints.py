import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from capi_relay import failpoints
from capi_relay.errors import MisconfiguredError
from capi_relay.failpoints import ACTIONS, armed, parse

ROOT = Path(__file__).parents[3]
PASS = (
    "from capi_relay import failpoints; failpoints.reach('after_post'); failpoints.reach('after_post'); print('past')"
)


def test_nothing_is_armed_where_the_variable_is_not_set() -> None:
    assert (failpoints.ARMED, failpoints.reach) == (False, failpoints._off)


def test_several_failpoints_are_told_apart() -> None:
    assert parse("after_post:kill@3, before_mark:oom") == {"after_post": ("kill", 3), "before_mark": ("oom", 1)}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("after_lunch:kill", "there is no 'after_lunch'; there are before_append"),
        ("after_post:oom", "after_post cannot 'oom'; it can kill, stop"),
        ("after_post", "write name:action or name:action@nth, not 'after_post'"),
        ("after_post:kill@0", "not 'after_post:kill@0'"),
    ],
)
def test_what_does_not_exist_is_refused_by_name(text: str, told: str) -> None:
    with pytest.raises(MisconfiguredError, match=told):
        parse(text)


def test_a_failpoint_fires_at_the_coming_past_it_names_and_only_then() -> None:
    reach = armed("after_claim:memory_error@2")
    reach("after_claim")
    with pytest.raises(MemoryError):
        reach("after_claim")

    reach("after_claim")


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        ("before_mark:oom", redis.exceptions.OutOfMemoryError),
        ("before_settle:readonly", redis.exceptions.ReadOnlyError),
        ("after_settle:connection_error", redis.exceptions.ConnectionError),
        ("after_append:timeout", redis.exceptions.TimeoutError),
        ("mid_post:connection_error", ConnectionResetError),
        ("after_post:timeout", TimeoutError),
        ("after_validate:exit", SystemExit),
    ],
)
def test_a_failure_is_what_the_library_there_would_raise(spec: str, error: type[BaseException]) -> None:
    with pytest.raises(error):
        armed(spec)(spec.partition(":")[0])


@pytest.mark.parametrize("place", ACTIONS)
def test_every_place_is_one_that_the_code_comes_past(place: str) -> None:
    hooks = [f'reach("{place}")', f'reach(f"{place.partition("_")[0]}_{{name}}")']
    sources = [path.read_text() for name in ("capi_relay", "worker") for path in (ROOT / name).rglob("*.py")]

    assert any(hook in source for source in sources for hook in hooks)


def test_a_process_is_killed_where_its_environment_says() -> None:
    env = {**os.environ, "CAPI_FAILPOINT": "after_post:kill@2"}
    done = subprocess.run([sys.executable, "-c", PASS], cwd=ROOT, env=env, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "")
    assert done.stderr == "failpoint after_post: kill\n"
