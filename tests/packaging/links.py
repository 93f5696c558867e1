#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Finds links in pages of installed documents that lead to nothing in the same package.

Usage: links.py FOLDER...     each is the documents of one package, or those of several below it
"""
import pathlib
import re
import sys


def dangling(folder):
    """Those below the folder of one package, as (page, link)."""
    found = []
    for page in sorted(folder.rglob("*.md")):
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
            name = link.partition("#")[0]
            target = (page.parent / name).resolve()
            is_ours = target == folder.resolve() or folder.resolve() in target.parents
            if name and not re.match(r"[a-z]+:", name) and not (is_ours and target.exists()):
                found.append((str(page.relative_to(folder)), link))
    return found


def main():
    found = [(folder, *one) for name in sys.argv[1:] for folder in [pathlib.Path(name)]
             for one in dangling(folder)]
    for folder, page, link in found:
        print(f"{folder / page}: {link} leads to nothing that is installed")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
