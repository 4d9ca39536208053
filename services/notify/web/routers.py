"""All pages of the service."""

from services.notify.web import (
    class_links,
    coming,
    feeds,
    mail_log,
    pupils,
    search,
    stuck,
    suppressions,
    tables,
    unsubscribe,
    webhooks,
    wordings,
)

_PARTS = (
    tables,
    mail_log,
    stuck,
    suppressions,
    coming,
    wordings,
    feeds,
    search,
    class_links,
    pupils,
    unsubscribe,
    webhooks,
)
ROUTERS = [part.router for part in _PARTS]
