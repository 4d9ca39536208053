"""All pages of the service."""

from services.notify.web import mail_log

ROUTERS = (mail_log.router,)
