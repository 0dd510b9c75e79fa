import shlex

from worker.cli.supervisor import ROOT, beat_command, flower_command, worker_command


def procfile() -> dict[str, list[str]]:
    """Return the Procfile's command lines, without the program that is named first."""
    lines = (line.partition(": exec ") for line in (ROOT / "Procfile").read_text().splitlines())
    return {name: shlex.split(command)[1:] for name, _, command in lines}


def test_up_starts_what_the_procfile_names() -> None:
    flower = [word.replace(f"{ROOT}/", "") for word in flower_command()]

    assert procfile() == {"worker": worker_command()[1:], "beat": beat_command()[3:], "flower": flower[3:]}
