"""A mail's HTML as a browser may show it within a page that allows no inline style. Pure.

Mails carry their looks in `style` attributes, as mail programs want it. Here each becomes a rule of one style sheet,
and the policy names that sheet by its hash: nothing else is loaded, run or sent.
"""

import base64
import hashlib
import re
from dataclasses import dataclass

_STYLE_ATTRIBUTE = re.compile(r'\sstyle="([^"]*)"')
_STYLE_ELEMENT = re.compile(r"<style>(.*?)</style>", re.DOTALL)


@dataclass(frozen=True)
class Preview:
    """What to answer: the document, its Content-Security-Policy, and the hashes of its style sheets."""

    html: str
    policy: str
    hashes: tuple[str, ...] = ()


def preview_of(html: str) -> Preview:
    """The mail `html`, its looks in hashed style sheets; links lead nowhere, for the frame is a sandbox."""
    rules: dict[str, str] = {}

    def named(found: re.Match[str]) -> str:
        number = rules.setdefault(found.group(1), f"look-{len(rules)}")
        return f' data-look="{number}"'

    plain = _STYLE_ATTRIBUTE.sub(named, html)
    sheet = "".join(f'[data-look="{name}"]{{{look.replace("&#39;", chr(39))}}}' for look, name in rules.items())
    whole = plain.replace("<style>", f"<style>{sheet}</style>\n<style>", 1)
    hashes = tuple(f"'sha256-{_hash(text)}'" for text in _STYLE_ELEMENT.findall(whole))
    return Preview(whole, _policy(f"style-src {' '.join(hashes)}" if hashes else "style-src 'none'"), hashes)


def _policy(style: str) -> str:
    nothing = "default-src 'none'; img-src 'none'; base-uri 'none'; form-action 'none'"
    return f"{nothing}; {style}; frame-ancestors 'self'; sandbox"


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
