"""The menu tells where one is."""

import pytest

from shared.ui.menu import MAILS, section

ADDRESSES = [address for address, _ in MAILS]


@pytest.mark.parametrize(
    ("path", "entry"),
    [
        ("/notify/", "/notify/"), ("/notify/deliveries/d1", "/notify/"), ("/notify/stuck", "/notify/stuck"),
        ("/notify/messages", "/outreach/messages"), ("/events/messages/m1", "/outreach/messages"),
        ("/events/home", ""),
    ],
)  # fmt: skip
def test_a_page_belongs_to_the_entry_that_it_lies_below_and_set_aside_messages_of_all_services_to_one(path, entry):
    assert section(path, ADDRESSES) == entry
