"""All pages of the service."""

from services.notify.web import class_links, mail_log, pupils

ROUTERS = [part.router for part in (mail_log, class_links, pupils)]
