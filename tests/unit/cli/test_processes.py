import re
import shlex

from worker.cli.supervisor import ROOT, beat_command, flower_command, worker_command


def procfile() -> dict[str, list[str]]:
    """Return the Procfile's command lines, their variables at their defaults and celery as it is started here."""
    text = re.sub(r"\$\{\w+:-(\w+)\}", r"\1", (ROOT / "Procfile").read_text())
    lines = (line.partition(": ") for line in text.splitlines())
    return {name: shlex.split(command)[1:] for name, _, command in lines}


def test_up_starts_what_the_procfile_names() -> None:
    flower = [word.replace(f"{ROOT}/", "") for word in flower_command()]

    assert procfile() == {"worker": worker_command({})[3:], "beat": beat_command()[3:], "flower": flower[3:]}


def test_the_concurrency_comes_from_the_environment() -> None:
    command = worker_command({"CAPI_CONCURRENCY": "4"})

    assert command[command.index("--concurrency") + 1] == "4"
