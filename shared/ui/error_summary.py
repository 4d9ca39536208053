"""The summary of a form's errors: it stands above the form, and names the fields as their labels below do."""

from collections.abc import Mapping

from jinja2 import Environment
from markupsafe import Markup

PLACE = Markup("<!-- errors -->")  # what people enter is escaped, and so cannot look like this


class ErrorSummary:
    """For one page, which tells it the labels while it is written."""

    def __init__(self) -> None:
        self._labels: dict[str, str] = {}
        self._heading = ""

    def note(self, name: str, label: str) -> str:
        """Remember that the next field is called `name`, and labelled so. Nothing is shown here."""
        self._labels.setdefault(name, label)
        return ""

    def place(self, heading: str) -> Markup:
        """Where the summary is to stand, below its heading."""
        self._heading = heading
        return PLACE

    def put_into(self, html: str, errors: Mapping[str, str], environment: Environment) -> str:
        """The page with the summary of `errors` (field → reason) in its place, if it has one."""
        if not self._heading:
            return html
        order = [
            *(name for name in self._labels if name in errors),
            *(name for name in errors if name not in self._labels),
        ]
        entries = [(name, self._labels.get(name, ""), errors[name]) for name in order]
        summary = environment.get_template("error_summary.html").render(heading=self._heading, entries=entries)
        return html.replace(PLACE, summary, 1)
