"""All pages of the service."""

from services.notify.web import mail_log, tables

ROUTERS = (tables.router, mail_log.router)
