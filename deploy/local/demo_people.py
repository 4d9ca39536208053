"""The people and companies of the demo campaign: all of them made up, with addresses that reach nobody."""

from dataclasses import dataclass
from typing import Any

COORDINATOR = ("Kim Koordination (Demo)", "kim.koordination@agentur.example")
TEACHERS = [
    ("Toni Lehrkraft (Demo)", "toni.lehrkraft@schule.example"),
    ("Luca Lehrkraft (Demo)", "luca.lehrkraft@schule.example"),
    ("Mika Lehrkraft (Demo)", "mika.lehrkraft@schule.example"),
]
AMBASSADORS = [
    ("Ari Azubi (Demo)", "ari.azubi@betrieb.example", "M", "57072"),
    ("Bo Botschaft (Demo)", "bo.botschaft@betrieb.example", "BAV", "57462"),
]


@dataclass(frozen=True)
class Company:
    """A made-up company with its contact."""

    name: str
    street: str
    postal_code: str
    town: str
    contact: str
    email: str

    def body(self) -> dict[str, Any]:
        """As the API takes it."""
        address = {"name": self.name, "street": self.street, "postal_code": self.postal_code, "town": self.town}
        return {**address, "contact": self.contact_body()}

    def contact_body(self) -> dict[str, str]:
        """The contact as the API takes it; the number is one reserved for films and examples."""
        return {"name": self.contact, "email": self.email, "phone": "+49 30 23125 000", "language": "de"}


@dataclass(frozen=True)
class Offer:
    """A tour with its weekly slots (wall times HH:MM, weekdays 0 = Monday)."""

    company: int
    title: str
    description: str
    field: str
    requirements: tuple[str, ...]
    grades: tuple[int, ...]
    approval: str
    waiting_list: str
    weekdays: tuple[int, ...]
    weeks: int
    starts: str
    ends: str
    places: int
    groups: int
    directions: str

    def body(self, company: Company) -> dict[str, Any]:
        """As the API takes it, without campaign and company."""
        place = {"name": company.name, "street": company.street, "postal_code": company.postal_code}
        return {
            "title": self.title,
            "description": self.description,
            "field": self.field,
            "place": {**place, "town": company.town, "directions": self.directions},
            "requirements": list(self.requirements),
            "contact": company.contact_body(),
            "grades": list(self.grades),
            "approval": self.approval,
            "waiting_list": self.waiting_list,
        }


COMPANIES = [
    Company(
        "Musterwerk Siegerland (Demo)", "Beispielweg 1", "57072", "Siegen", "Alex Beispiel", "alex@musterwerk.example"
    ),
    Company("Beispielholz Olpe (Demo)", "Am Muster 7", "57462", "Olpe", "Chris Beispiel", "chris@beispielholz.example"),
    Company(
        "Probepflege Soest (Demo)", "Musterallee 12", "59494", "Soest", "Dana Beispiel", "dana@probepflege.example"
    ),
    Company(
        "Modelllabor Lüdenscheid (Demo)",
        "Probestr. 3",
        "58507",
        "Lüdenscheid",
        "Eli Beispiel",
        "eli@modelllabor.example",
    ),
    Company(
        "Testküche Arnsberg (Demo)", "Beispielplatz 2", "59755", "Arnsberg", "Finn Beispiel", "finn@testkueche.example"
    ),
]
OFFERS = [
    Offer(
        0, "Vom Stahl zum Zahnrad", "Rundgang durch die Fertigung, ein Werkstück drehen, Fragen an Azubis.",
        "M", ("Feste, geschlossene Schuhe", "Lange Haare zusammengebunden"), (8, 9, 10), "automatic", "strict_order",
        (1,), 14, "09:00", "12:00", 30, 1, "Bus R10 bis Musterwerk, dann Tor 1",
    ),
    Offer(
        1, "Ein Haus aus Holz", "Vom Plan bis zum Dachstuhl: messen, sägen, verbinden.",
        "BAV", ("Feste, geschlossene Schuhe",), (8, 9), "company", "next_that_fits",
        (2,), 12, "08:30", "12:30", 28, 1, "Fünf Minuten zu Fuß vom Bahnhof",
    ),
    Offer(
        2, "Pflege mit Kopf und Herz", "Ein Vormittag auf der Übungsstation mit Auszubildenden.",
        "G", (), (8, 9, 10), "automatic", "next_that_fits", (3,), 12, "09:00", "11:30", 40, 2, "Haupteingang",
    ),
    Offer(
        3, "Licht und Labor", "Messen, mischen, untersuchen: ein Blick in das Prüflabor.",
        "BAV", ("Schutzbrille wird gestellt", "Keine offenen Sandalen"), (9, 10), "automatic", "strict_order",
        (0,), 10, "10:00", "12:00", 24, 1, "Bus 37, Haltestelle Probestraße",
    ),
    Offer(
        4, "Hundert Essen in zwei Stunden", "Planen, kochen, ausgeben: die Großküche von innen.",
        "D", ("Haare bedeckt (Hauben gibt es vor Ort)",), (7, 8, 9), "automatic", "none",
        (3,), 10, "09:30", "12:30", 25, 1, "Lieferhof, Eingang B",
    ),
]  # fmt: skip
