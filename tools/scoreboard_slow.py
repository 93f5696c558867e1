# SPDX-License-Identifier: Apache-2.0
"""What waits for minutes, or for an hour, for tools/scoreboard: checks of expiry, and nonces of old."""
import concurrent.futures
import pathlib
import sys

from scoreboard_world import World, version

OPTIONS = {"conform": ("--slow", "--only", "expiry"),
           "attack": ("--slow", "--only", "nonce-old", "--limit", 5000)}
COMMANDS = {"Fairlead": World.fairlead, "coturn": World.coturn,
            "coturn, hardened": World.coturn_hardened, "pion": World.pion}


def survey(relay, probe, folder):
    """All servers at once, each twice and at a port of its own."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=2 * len(COMMANDS)) as pool:
        asked = {}
        for number, (what, name) in enumerate((what, name) for what in OPTIONS for name in COMMANDS):
            own = pathlib.Path(folder / str(number))
            own.mkdir()
            world = World(relay, probe, own, 3478 + 10 * number)
            asked[name, what] = pool.submit(world.ask, COMMANDS[name](world), what, *OPTIONS[what])
        return {name: asked[name, "conform"].result() | asked[name, "attack"].result()
                for name in COMMANDS}


def tables(told, notes, steady):
    names = list(told)
    yield "| | " + " | ".join(f"{name}{version(name)}" for name in names) + " |"
    yield "|---" * (len(names) + 1) + "|"
    for check in told[names[0]]:
        verdicts = (told[name][check]["verdict"] for name in names)
        yield f"| {check} | " + " | ".join(verdicts) + " |"
    for check, own in told[names[0]].items():
        rows = [(name, told[name][check]) for name in names
                if told[name][check]["verdict"] not in ("pass", "skip")]
        if rows:
            yield ""
            yield f"#### {check}"
            yield ""
            yield f"{own['section']}: “{own['words']}”"
            yield ""
        for name, one in rows:
            note = notes.get(f"{name}/{check}", "")
            if not note:
                sys.exit(f"tools/scoreboard.json: nobody has looked at {name}/{check} by hand: "
                         f"{one['expected']}; {one['came']}")
            yield (f"- **{name}**, {one['verdict']}: expected {steady(one['expected'])}, came "
                   f"`{steady(one['came'])}`. {note}")
