"""The report of a run or of a study: one HTML file that needs nothing else, made of what is in the folder.

run_page.py and study_page.py gather what it says, charts.py draws, report.html lays out. The same folder gives the same bytes.
"""

import itertools
from pathlib import Path
from typing import Any

import jinja2

from textworlds.agents.charts import with_own_ids
from textworlds.agents.run_page import describe_run, read_files
from textworlds.agents.runs import SETTINGS, said_by, write_whole
from textworlds.agents.study_page import describe_study
from textworlds.agents.wording import duration, interval, number, percent

REPORT = "report.html"


def write_report(folder: Path) -> Path:
    """Write report.html into the folder of a run or of a study, whole or not at all; return its path.

    Raises:
        ValueError: if the folder is neither, or a file in it is damaged; the text says which.
    """
    runs = list(folder.glob(f"*/*/*/{SETTINGS}"))
    if not runs and not (folder / SETTINGS).exists():
        raise ValueError(f"{folder}: is neither a run nor a study; {SETTINGS} is not in it, nor in ID/METHOD/seed-N")
    try:
        if (folder / SETTINGS).exists():
            text = render(describe_run(read_files(folder)))
        else:
            text = render(describe_study(folder, [read_files(path.parent) for path in runs]))
    except (LookupError, TypeError, AttributeError, ArithmeticError, jinja2.UndefinedError) as error:
        raise ValueError(f"{folder}: a file there does not hold what it should ({said_by(error)})") from None
    write_whole(folder / REPORT, text.encode())
    return folder / REPORT


def render(page: dict[str, Any]) -> str:
    """Lay a page out. Texts are escaped; only the drawings of charts.py are not."""
    numbers = itertools.count()
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    layout = jinja2.Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    layout.filters |= {"percent": percent, "number": number, "duration": duration, "interval": interval}
    layout.filters["drawn"] = lambda svg: with_own_ids(svg, next(numbers))
    return layout.get_template(REPORT).render(page).lstrip()
