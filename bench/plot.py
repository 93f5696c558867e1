# SPDX-License-Identifier: Apache-2.0
"""Plots as SVG: bars with their figures beside them, lines with their names at the end.

Colours are those of Okabe and Ito, which the colour-blind tell apart; nothing is told by colour
alone.
"""
import html

COLOURS = {"fairlead": "#0072B2", "fairlead-xdp": "#56B4E9", "fairlead-2": "#009E73",
           "coturn": "#D55E00", "pion": "#7A7A7A",
           "fairlead-v2": "#56B4E9", "fairlead-v2-alone": "#56B4E9", "fairlead-v2-tls": "#999999",
           "haproxy": "#D55E00", "haproxy-splice": "#E69F00", "nginx": "#009E73",
           "stunnel": "#CC79A7", "ssh -R": "#7A7A7A"}
NAMES = {"fairlead": "Fairlead", "fairlead-xdp": "Fairlead, XDP", "fairlead-2": "Fairlead, 2 workers",
         "coturn": "coturn", "pion": "pion/turn",
         "fairlead-v2": "version 2, both ends", "fairlead-v2-alone": "version 2, no pool",
         "fairlead-v2-tls": "version 2, TLS",
         "haproxy": "haproxy", "haproxy-splice": "haproxy, splicing", "nginx": "nginx stream",
         "stunnel": "stunnel, both ends", "ssh -R": "ssh -R, both ends"}
INK, FAINT = "#222222", "#777777"
FONT = "font-family='Helvetica, Arial, sans-serif'"


def short(value):
    """A figure as one would say it."""
    if value >= 1e6:
        return f"{value / 1e6:.2f} M"
    if value >= 1e4:
        return f"{value / 1e3:.0f} k"
    if value >= 1e3:
        return f"{value / 1e3:.1f} k"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


class Picture:
    def __init__(self, width, height, title, subtitle):
        self.parts = [
            f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' "
            f"width='{width}' height='{height}' role='img'>",
            f"<title>{html.escape(title)}</title>",
            f"<rect width='{width}' height='{height}' fill='white'/>"]
        self.text(16, 28, title, size=17, weight="bold")
        self.text(16, 47, subtitle, size=12, colour=FAINT)

    def text(self, x, y, text, size=12, colour=INK, anchor="start", weight="normal"):
        self.parts.append(f"<text x='{x:.1f}' y='{y:.1f}' {FONT} font-size='{size}' fill='{colour}' "
                          f"text-anchor='{anchor}' font-weight='{weight}'>"
                          f"{html.escape(str(text))}</text>")

    def box(self, x, y, width, height, colour):
        self.parts.append(f"<rect x='{x:.1f}' y='{y:.1f}' width='{max(width, 1):.1f}' "
                          f"height='{height:.1f}' fill='{colour}'/>")

    def line(self, points, colour, width=1.0):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f"<polyline points='{path}' fill='none' stroke='{colour}' "
                          f"stroke-width='{width}'/>")

    def write(self, path):
        path.write_text("\n".join([*self.parts, "</svg>", ""]))


def bars(path, title, subtitle, groups):
    """`groups` is a list of (heading, [(server, value, low, high)]); whiskers are the range."""
    left, right, bar, gap = 150, 130, 20, 34
    rows = sum(len(rows) for _, rows in groups)
    width, height = 760, 66 + rows * (bar + 5) + len(groups) * gap
    picture = Picture(width, height, title, subtitle)
    top = max((row[3] for _, rows in groups for row in rows), default=1) or 1
    scale = (width - left - right) / top
    y = 62
    for heading, rows in groups:
        picture.text(16, y + 16, heading, size=13, weight="bold")
        y += gap - 8
        for server, value, low, high in rows:
            picture.text(left - 8, y + 15, NAMES[server], anchor="end")
            picture.box(left, y, value * scale, bar, COLOURS[server])
            if high > low:
                middle = y + bar / 2
                picture.line([(left + low * scale, middle), (left + high * scale, middle)], INK, 1.2)
            picture.text(left + max(value, high) * scale + 6, y + 15, short(value), weight="bold")
            y += bar + 5
        y += 8
    picture.write(path)


def apart(places, least):
    """Moves places down until each is so far below the one before; keeps their order."""
    moved = []
    for place, name in sorted(places):
        moved.append((max(place, moved[-1][0] + least) if moved else place, name))
    return moved


def panels(path, title, subtitle, plots, x_label):
    """`plots` is a list of (heading, {server: [(x, part of one)]}), side by side."""
    each, height, left, top, bottom = 300, 320, 46, 92, 270
    picture = Picture(20 + each * len(plots), height, title, subtitle)
    for number, (heading, lines) in enumerate(plots):
        x0 = left + number * each
        x1 = x0 + each - 120
        most = max((x for points in lines.values() for x, _ in points), default=1) or 1
        picture.text(x0, top - 14, heading, size=13, weight="bold")
        for part in (0, 0.5, 0.9, 1):
            y = bottom - part * (bottom - top)
            picture.line([(x0, y), (x1, y)], "#DDDDDD" if part != 0.9 else "#AAAAAA")
            picture.text(x0 - 5, y + 4, f"{part:.0%}", size=10, colour=FAINT, anchor="end")
        picture.text(x0, bottom + 16, "0", size=10, colour=FAINT, anchor="middle")
        picture.text(x1, bottom + 16, short(most), size=10, colour=FAINT, anchor="middle")
        picture.text((x0 + x1) / 2, bottom + 32, x_label, size=11, colour=FAINT, anchor="middle")
        ends = []
        for server, points in lines.items():
            line = [(x0 + x / most * (x1 - x0), bottom - min(part, 1) * (bottom - top))
                    for x, part in sorted(points)]
            picture.line(line, COLOURS[server], 2.5)
            ends.append((line[-1][1] + 4, server))
        for y, server in apart(ends, 14):
            picture.text(x1 + 6, y, NAMES[server], size=11, colour=COLOURS[server], weight="bold")
    picture.write(path)
