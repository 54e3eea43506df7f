"""MkDocs hook: adds the generated pages, and Mermaid to the pages that hold a diagram."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

# The pages are made from the packages of the repository, whether or not they are installed, and
# by the modules beside this one.
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

import cli_page  # noqa: E402  # after the path is set
import events_page  # noqa: E402
import pages  # noqa: E402
import realtime_page  # noqa: E402

PAGES: Mapping[str, Callable[[], str]] = {
    "reference/metrics.md": pages.metrics_page,
    "reference/events.md": events_page.page,
    "reference/topics.md": pages.topics_page,
    "reference/records.md": pages.records_page,
    "reference/dead-letters.md": pages.dead_letters_page,
    "reference/realtime.md": realtime_page.page,
    "reference/settings.md": pages.settings_page,
    "reference/cli.md": cli_page.page,
    "reference/telemetry.md": pages.telemetry_page,
}
"""Where a page lies → what makes it. A page that can't be made fails the build."""

MERMAID = "assets/mermaid/mermaid.tiny.js"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    for path, make in PAGES.items():
        files.append(File.generated(config, path, content=make()))
    return files


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:  # noqa: ARG001 - MkDocs calls by name
    """Load Mermaid where it is needed.

    The theme would fetch it from elsewhere; it doesn't when it finds it loaded. It is 2.5 MB, so
    pages without a diagram go without.
    """
    if 'class="mermaid"' not in output:
        return output
    root = "../" * page.url.count("/")
    return output.replace("</head>", f'<script src="{root}{MERMAID}"></script></head>', 1)
