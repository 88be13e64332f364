# SPDX-License-Identifier: BSD-3-Clause
"""svg - pictures of three kinds: lines over an axis, bars of parts, bars side by side.

Each function returns the text of a picture. Sizes are pixels, drawn on white; a legend
names what the colours are, and every bar carries its figure.
"""
import math
from xml.sax.saxutils import escape

# Told apart by most of those who do not see all colours (Okabe and Ito), and by dashes.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555",
           "#8c564b", "#b8b000", "#7b4fa6", "#000000")
DASHES = ("", "6 3", "2 3", "8 3 2 3", "", "6 3", "2 3")
WIDTH = 760
LEFT, RIGHT, TOP, BOTTOM = 70, 30, 64, 54


class Canvas:
    def __init__(self, width, height):
        self.width, self.height, self.parts = width, height, []

    def add(self, tag, text=None, **attributes):
        said = "".join(f' {k.replace("_", "-")}="{escape(str(v))}"'
                       for k, v in attributes.items())
        self.parts.append(f"<{tag}{said}/>" if text is None
                          else f"<{tag}{said}>{escape(str(text))}</{tag}>")

    def text(self, x, y, words, anchor="start", size=12, **attributes):
        self.add("text", words, x=round(x, 1), y=round(y, 1), font_size=size,
                 text_anchor=anchor, **attributes)

    def line(self, x1, y1, x2, y2, colour="#000", width=1):
        self.add("line", x1=round(x1, 1), y1=round(y1, 1), x2=round(x2, 1), y2=round(y2, 1),
                 stroke=colour, stroke_width=width)

    def box(self, x, y, width, height, colour):
        self.add("rect", x=round(x, 1), y=round(y, 1), width=round(max(width, 0), 1),
                 height=round(height, 1), fill=colour)

    def heading(self, title, note):
        self.text(LEFT, 20, title, size=15, font_weight="bold")
        if note:
            self.text(LEFT, 36, note, size=10, fill="#555")

    def legend(self, names, y, x=LEFT, dashed=False):
        """In as many lines as it takes; returns where the next thing may begin."""
        start = x
        for i, name in enumerate(names):
            wide = 30 + 6.6 * len(name)
            if x + wide > self.width - 10 and x > start:
                x, y = start, y + 16
            if dashed:
                self.add("path", d=f"M{x} {y - 4}h18", stroke=COLOURS[i % len(COLOURS)],
                         stroke_width=2.5, stroke_dasharray=DASHES[i % len(DASHES)] or "none")
            else:
                self.box(x, y - 10, 12, 12, COLOURS[i % len(COLOURS)])
            self.text(x + (22 if dashed else 16), y, name)
            x += wide
        return y + 14

    def __str__(self):
        return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" '
                f'height="{self.height}" viewBox="0 0 {self.width} {self.height}" '
                f'font-family="DejaVu Sans, Helvetica, Arial, sans-serif">\n'
                f'<rect width="100%" height="100%" fill="#fff"/>\n'
                + "\n".join(self.parts) + "\n</svg>\n")


def steps(most, wanted=5):
    """Round numbers from 0 to at least @most."""
    if most <= 0:
        return [0, 1]
    size = 10 ** math.floor(math.log10(most / wanted))
    size *= next(k for k in (1, 2, 2.5, 5, 10) if size * k * wanted >= most)
    return [i * size for i in range(math.ceil(most / size - 1e-9) + 1)]


def short(x):
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if x >= unit:
            return f"{x / unit:g} {name}"
    return f"{x:g}"


def figure(x):
    return f"{x:.0f}" if x >= 100 else f"{x:.1f}" if x >= 10 else f"{x:.2f}"


def powers(least, most):
    """Powers of ten around both."""
    low = math.floor(math.log10(least))
    return [10.0 ** k for k in range(low, max(math.ceil(math.log10(most)), low + 1) + 1)]


def lines(title, note, x_says, y_says, series, y_most=None, y_log=False, height=430):
    """@series: name -> [(x, y)]; x is drawn on a scale of powers, 0 being left of all."""
    c = Canvas(WIDTH, height)
    c.heading(title, note)
    top = c.legend(list(series), 54, dashed=True) + 6
    xs = sorted({x for points in series.values() for x, _ in points})
    values = [y for points in series.values() for _, y in points]
    ys = powers(min(values), max(values)) if y_log else steps(y_most or max(values))
    low = math.log2(min(x for x in xs if x > 0))
    high = math.log2(max(max(xs), 2 * min(x for x in xs if x > 0)))
    bottom, first = height - BOTTOM, LEFT + (60 if 0 in xs else 0)

    def at_x(x):
        if x == 0:
            return LEFT + 10
        return first + (math.log2(x) - low) / (high - low) * (WIDTH - RIGHT - first)

    def at_y(y):
        if y_log:
            return bottom - math.log(y / ys[0]) / math.log(ys[-1] / ys[0]) * (bottom - top)
        return bottom - y / ys[-1] * (bottom - top)

    for y in ys:
        c.line(LEFT, at_y(y), WIDTH - RIGHT, at_y(y), "#ddd")
        c.text(LEFT - 6, at_y(y) + 4, short(y), "end", 11)
    last = -100
    for x in xs:
        c.line(at_x(x), bottom, at_x(x), bottom + 4)
        if at_x(x) - last > 34:
            c.text(at_x(x), bottom + 17, short(x), "middle", 11)
            last = at_x(x)
    c.line(LEFT, bottom, WIDTH - RIGHT, bottom)
    c.text((LEFT + WIDTH - RIGHT) / 2, height - 14, x_says, "middle")
    middle = (top + bottom) / 2
    c.text(18, middle, y_says, "middle", transform=f"rotate(-90 18 {middle})")
    for i, points in enumerate(series.values()):
        colour = COLOURS[i % len(COLOURS)]
        path = " ".join(f"{'L' if k else 'M'}{at_x(x):.1f} {at_y(y):.1f}"
                        for k, (x, y) in enumerate(sorted(points)))
        c.add("path", d=path, fill="none", stroke=colour, stroke_width=2,
              stroke_dasharray=DASHES[i % len(DASHES)] or "none")
        for x, y in points:
            c.add("circle", cx=round(at_x(x), 1), cy=round(at_y(y), 1), r=3, fill=colour)
    return str(c)


def stacked(title, note, says, bars, names):
    """@bars: name -> {part: value}; the parts lie side by side in the order of @names."""
    left = 30 + 7 * max(len(b) for b in bars)
    height = 130 + 46 * len(bars) + 16 * (len(names) // 7)
    c = Canvas(WIDTH, height)
    c.heading(title, note)
    top = c.legend(names, 54) + 8
    ticks = steps(max(sum(parts.values()) for parts in bars.values()))
    bottom = top + 46 * len(bars)
    scale = (WIDTH - 70 - left) / ticks[-1]
    for t in ticks:
        c.line(left + t * scale, top, left + t * scale, bottom, "#ddd")
        c.text(left + t * scale, bottom + 15, short(t), "middle", 11)
    for i, (bar, parts) in enumerate(bars.items()):
        x, y = left, top + 46 * i + 6
        c.text(left - 8, y + 21, bar, "end")
        for k, name in enumerate(names):
            wide = parts.get(name, 0) * scale
            c.box(x, y, wide, 32, COLOURS[k % len(COLOURS)])
            words = figure(parts.get(name, 0))
            if wide > 7 * len(words) + 4:
                c.text(x + wide / 2, y + 21, words, "middle", 11, fill="#fff")
            x += wide
        c.text(x + 6, y + 21, figure(sum(parts.values())), size=12, font_weight="bold")
    c.text((left + WIDTH - 70) / 2, bottom + 33, says, "middle")
    return str(c)


def grouped(title, note, says, bars, names):
    """@bars: name -> {variant: value}; the variants lie below each other."""
    each = 17
    left = 30 + 7 * max(len(b) for b in bars)
    block = each * len(names) + 14
    height = 116 + block * len(bars)
    c = Canvas(WIDTH, height)
    c.heading(title, note)
    top = c.legend(names, 54) + 8
    ticks = steps(max(v for parts in bars.values() for v in parts.values()))
    bottom = top + block * len(bars)
    scale = (WIDTH - 80 - left) / ticks[-1]
    for t in ticks:
        c.line(left + t * scale, top, left + t * scale, bottom, "#ddd")
        c.text(left + t * scale, bottom + 15, short(t), "middle", 11)
    for i, (bar, parts) in enumerate(bars.items()):
        y = top + block * i + 6
        c.text(left - 8, y + each * len(names) / 2 + 4, bar, "end")
        for k, name in enumerate(names):
            if name in parts:
                c.box(left, y + each * k, parts[name] * scale, each - 3,
                      COLOURS[k % len(COLOURS)])
                c.text(left + parts[name] * scale + 5, y + each * k + 11, figure(parts[name]),
                       size=11)
    c.text((left + WIDTH - 80) / 2, bottom + 33, says, "middle")
    return str(c)
