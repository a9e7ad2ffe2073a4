"""The picture of the queue as a file, drawn by matplotlib.

The library is slow to import and an extra, and a chroot environment takes all modules of this storey along: it is
imported when something is drawn.  Source: postqueue(1) --plot.
"""

from __future__ import annotations

import io

from pyfix.queue.agechart import AGES, AgeChart

_INCHES_WIDE, _INCHES_A_ROW, _INCHES_AROUND = 10.0, 0.3, 1.8


def image(chart: AgeChart, kind: str, most: int) -> bytes:
    """Return the picture, of *kind* ``png`` or ``svg``: a bar for each of *most* destinations, in parts by age.

    Raises ImportError without the library.
    """
    import matplotlib
    from matplotlib.figure import Figure

    rows = chart.rows(most)
    figure = Figure(figsize=(_INCHES_WIDE, _INCHES_AROUND + _INCHES_A_ROW * max(len(rows), 1)), layout="constrained")
    axes = figure.add_subplot()
    colours = matplotlib.colormaps["viridis_r"]
    starts = [0] * len(rows)
    for at, age in enumerate(AGES):
        numbers = [row[2][at] for row in rows]
        label = f"over {AGES[at - 1]}" if at == len(AGES) - 1 else f"up to {age}"
        axes.barh(range(len(rows)), numbers, left=starts, color=colours(at / (len(AGES) - 1)), label=label)
        starts = [start + number for start, number in zip(starts, numbers, strict=True)]
    # Names come from outside: a dollar sign in one is no formula.
    axes.set_yticks(range(len(rows)), [f"{row[0]} ({row[1]})" for row in rows], parse_math=False)
    axes.invert_yaxis()
    axes.set_xlabel("recipients")
    axes.set_title(chart.title())
    axes.legend(title="age", fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
    stream = io.BytesIO()
    figure.savefig(stream, format=kind)
    return stream.getvalue()
