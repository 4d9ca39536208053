"""All pages of the service."""

from services.notify.web import coming, mail_log, search, stuck, suppressions, tables

ROUTERS = (tables.router, mail_log.router, stuck.router, suppressions.router, coming.router, search.router)
