# SPDX-License-Identifier: Apache-2.0
"""What fairlead-probe attack finds, for tools/scoreboard: in each server as it comes and as it can be
set up, and whether the advice that comes with a finding closes it in coturn."""
import re
import subprocess
import sys

from scoreboard_world import DEBIAN, SERVER, SERVER6, version

SEVERITIES = ("high", "medium", "low", "info")
# Times are told from one another only by a machine that does nothing else.
OPTIONS = ("--rate", 2000, "--except", "enumerate-time")
BARE, OURS = "coturn", "Fairlead"
PERMITTED = "relay-low-port"  # asks for a peer who must be permitted


def survey(world):
    """What is found, by configuration."""
    # A quota counts the allocations of all checks, also of those that ended a moment ago.
    hardened = world.ask(world.coturn_hardened(has_quota=False), "attack", *OPTIONS)
    hardened |= world.ask(world.coturn_hardened(), "attack", *OPTIONS, "--only", "state-quota")
    return {OURS: world.ask(world.fairlead(), "attack", *OPTIONS),
            BARE: world.ask(world.coturn(), "attack", *OPTIONS),
            "coturn, Debian's": world.ask(world.coturn(configuration=DEBIAN), "attack", *OPTIONS),
            "coturn, hardened": hardened,
            "pion": world.ask(world.pion(), "attack", *OPTIONS),
            "pion, guarded": world.ask(world.pion("-guarded"), "attack", *OPTIONS)}


def flags_of_coturn():
    """Its options, each with whether a value follows."""
    text = subprocess.run(["turnserver", "-h"], text=True, capture_output=True,
                          check=False).stdout
    return {name: "<" in rest for name, rest in re.findall(r"--([a-z][a-z0-9-]+)([^\n]*)", text)}


def advised(advice, known):
    """The options that an advice says to add, as lines of turnserver.conf: its own words, so that a
    word that is no option of this version is seen to do nothing."""
    lines, last = [], None
    for clause in advice.split(";"):
        if "add " not in clause:
            continue
        for word in re.findall(r"[\w:.=/-]+", clause.split("add ", 1)[1]):
            name, equals, value = word.rstrip(".").partition("=")
            if equals:
                last = name or last
                values = (SERVER, SERVER6) if value == "ADDRESS" else (value,)
                lines += [f"{last}={one}" for one in values]
            elif known.get(name) is False:
                lines.append(name)
    return lines


def try_advice(world, told):
    """What becomes of each finding in coturn when its advice alone is followed: None where no
    option is advised."""
    known, after = flags_of_coturn(), {}
    for check, one in told[BARE].items():
        if one["verdict"] not in SEVERITIES:
            continue
        lines = advised(one["cures"]["coturn"], known)
        if lines:
            retried = world.ask(world.coturn(configuration="\n".join(lines) + "\n"), "attack",
                                *OPTIONS, "--only", check, "--only", PERMITTED)
            if retried[PERMITTED]["verdict"] == "skip":
                sys.exit(f"the advice for {check} denies all peers: {', '.join(lines)}")
            after[check] = (lines, retried[check]["verdict"])
        else:
            after[check] = None
    return after


def counts(told):
    names = list(told)
    yield "| | " + " | ".join(names) + " |"
    yield "|---" * (len(names) + 1) + "|"
    for severity in SEVERITIES:
        cells = [str(sum(one["verdict"] == severity for one in told[name].values()))
                 for name in names]
        yield f"| {severity} | " + " | ".join(cells) + " |"


def grid(told):
    """Each finding that is open anywhere."""
    names = list(told)
    yield "| finding | " + " | ".join(names) + " |"
    yield "|---" * (len(names) + 1) + "|"
    for check in told[OURS]:
        verdicts = [told[name][check]["verdict"] for name in names]
        if any(verdict in SEVERITIES for verdict in verdicts):
            cells = ["-" if verdict == "pass" else "n/a" if verdict == "skip" else verdict
                     for verdict in verdicts]
            yield f"| [{check}](attacks.md#{check}) | " + " | ".join(cells) + " |"


def closed(after, check, advice):
    if after[check] is None:
        return f"Stays open in{version('coturn')}: {advice}."
    lines, verdict = after[check]
    shown = " ".join(f"`{line}`" for line in lines)
    if verdict == "pass":
        return f"Closed by {shown}."
    return f"Is {verdict} with {shown}."


def findings(told, after, notes, steady):
    """Beside each finding what came, and what was seen when that was looked at by hand."""
    for check, own in told[OURS].items():
        rows = [(name, told[name][check]) for name in (OURS, BARE, "pion")
                if told[name][check]["verdict"] in SEVERITIES]
        if not rows:
            continue
        yield f"#### {check}"
        yield ""
        yield f"{own['rule']}"
        yield ""
        for name, one in rows:
            note = notes.get(f"{name}/{check}", "")
            if name != OURS and one["verdict"] != "info" and not note:
                sys.exit(f"tools/scoreboard.json: nobody has looked at {name}/{check} by hand: "
                         f"{one['came']}")
            text = f"- **{name}**, {one['verdict']}: `{steady(one['came'])}`." + (
                f" {note}" if note else "")
            if name == BARE:
                text += " " + closed(after, check, one["cures"]["coturn"])
            elif name == "pion":
                verdict = told["pion, guarded"][check]["verdict"]
                text += (" Closed by the handler." if verdict == "pass" else
                         f" Stays open: {one['cures']['pion']}.")
            yield text
        yield ""


def tables(told, after, notes, steady):
    found = [*counts(told), "", *grid(told), "", *findings(told, after, notes, steady)]
    return found[:-1]
