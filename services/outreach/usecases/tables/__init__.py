"""Lists as files: the columns of every list of this service, its export, and its import where there is one."""

from services.outreach.usecases.tables import ambassadors, companies, people, schools

IMPORTERS = {each.IMPORTER.table.name: each.IMPORTER for each in (companies, people, ambassadors, schools)}
