"""Lists as files: the columns of every list of this service, its export and its import."""

from services.events.usecases.tables import offers, registrations, self_found, slots

IMPORTERS = {each.IMPORTER.table.name: each.IMPORTER for each in (offers, slots, registrations, self_found)}
