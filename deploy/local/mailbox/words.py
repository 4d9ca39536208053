"""The mailbox page's words in German and English."""

GERMAN = {
    "language": "de",
    "mailbox": "Postfach",
    "nothing_leaves": "Alle Mails dieser Installation landen hier. Keine verlässt diesen Rechner.",
    "to": "An",
    "from": "Von",
    "subject": "Betreff",
    "received": "Eingegangen",
    "search": "Suchen",
    "search_address": "Adresse enthält",
    "search_subject": "Betreff enthält",
    "older": "Ältere Mails",
    "empty": "Keine Mails.",
    "mails": "Mails",
    "no_subject": "(ohne Betreff)",
    "text": "Text",
    "designed": "Gestaltete Fassung",
    "calendar": "Kalendereintrag",
    "headers": "Kopfzeilen",
    "attachments": "Anhänge",
    "source": "Original (.eml)",
    "back": "Zurück zur Liste",
    "skip": "Zum Inhalt springen",
    "not_found": "Diese Mail gibt es nicht (mehr).",
    "bytes": "Bytes",
}
ENGLISH = {
    "language": "en",
    "mailbox": "Mailbox",
    "nothing_leaves": "All mails of this installation end up here. None leaves this machine.",
    "to": "To",
    "from": "From",
    "subject": "Subject",
    "received": "Received",
    "search": "Search",
    "search_address": "Address contains",
    "search_subject": "Subject contains",
    "older": "Older mails",
    "empty": "No mails.",
    "mails": "Mails",
    "no_subject": "(no subject)",
    "text": "Text",
    "designed": "Designed version",
    "calendar": "Calendar entry",
    "headers": "Headers",
    "attachments": "Attachments",
    "source": "Source (.eml)",
    "back": "Back to the list",
    "skip": "Skip to the content",
    "not_found": "There is no such mail (any more).",
    "bytes": "bytes",
}


def words_for(accept_language: str) -> dict[str, str]:
    """German, unless the browser asks for English first."""
    first = next(
        (tag for part in accept_language.split(",") if (tag := part.strip().lower()[:2]) in ("de", "en")), "de"
    )
    return ENGLISH if first == "en" else GERMAN
