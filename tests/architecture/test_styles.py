"""The look that all areas share is not undone by the rules of one."""

import re
from pathlib import Path

STATIC = Path(__file__).parents[2] / "shared" / "ui" / "static"


def test_no_area_restyles_a_word_that_means_a_state() -> None:
    shared = (STATIC / "perspektive.css").read_text()
    words = set(re.findall(r"\.(?:state|notice|badge)\.([a-z-]+)", shared))
    assert {"good", "bad", "over"} <= words
    for path in sorted((STATIC / "areas").glob("*.css")):
        alone = set(re.findall(r"(?:^|[},])\s*\.([a-z-]+)(?=\s*[ {,:])", path.read_text(), re.M))
        assert not alone & words, f"{path.name}: a rule for .{alone & words} alone holds for states too"
