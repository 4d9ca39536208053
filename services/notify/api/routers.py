"""All routes of the API."""

from services.notify.api import deliveries, webhooks

ROUTERS = [part.router for part in (deliveries, webhooks)]
