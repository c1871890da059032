"""Fills the database of the test server: two organizers, three events, four tokens.

Slugs and tokens come from server.py through the environment. Run by server.py on an empty database.
"""

import os
from datetime import datetime, timezone
from decimal import Decimal

import django

django.setup()

from django_scopes import scopes_disabled  # noqa: E402
from pretix.base.models import Event, Item, Organizer, Quota, Team, TeamAPIToken, User  # noqa: E402

PLUGINS = ["banktransfer", "manualpayment", "checkinlists"]


def add_event(organizer, slug, name):
    event = Event.objects.create(
        organizer=organizer,
        slug=slug,
        name={"en": name},
        currency="EUR",
        date_from=datetime(2030, 1, 1, 18, tzinfo=timezone.utc),
        plugins=",".join(f"pretix.plugins.{plugin}" for plugin in PLUGINS),
    )
    event.set_defaults()
    # Without a way to pay, an event can't go live and its orders can't be paid.
    event.settings.payment_manual__enabled = True
    event.settings.payment_manual_public_name = "Manual payment"
    event.settings.timezone = "UTC"
    ticket = Item.objects.create(event=event, name={"en": "Ticket"}, default_price=Decimal("23.00"), admission=True)
    Quota.objects.create(event=event, name="Tickets", size=1000).items.add(ticket)


def add_team(organizer, name, organizer_permissions=True):
    return Team.objects.create(
        organizer=organizer,
        name=name,
        all_events=True,
        all_event_permissions=True,
        all_organizer_permissions=organizer_permissions,
    )


def add_token(team, variable, active=True):
    TeamAPIToken.objects.create(team=team, name=variable, token=os.environ[variable], active=active)


with scopes_disabled():
    organizer = Organizer.objects.create(name="Big Events LLC", slug=os.environ["PRETIX_ORGANIZER"])
    add_event(organizer, os.environ["PRETIX_EVENT"], "Demo Conference")
    add_event(organizer, os.environ["PRETIX_SECOND_EVENT"], "Second Conference")
    team = add_team(organizer, "Full access")
    add_token(team, "PRETIX_TOKEN")
    add_token(team, "PRETIX_REVOKED_TOKEN", active=False)
    # The webhook API wants the permission to change the organizer's settings, for reading too.
    add_token(add_team(organizer, "Without organizer settings", False), "PRETIX_LIMITED_TOKEN")

    other = Organizer.objects.create(name="Other Org", slug=os.environ["PRETIX_OTHER_ORGANIZER"])
    add_event(other, os.environ["PRETIX_OTHER_EVENT"], "Other Conference")
    add_token(add_team(other, "Full access"), "PRETIX_OTHER_TOKEN")

    if not User.objects.exists():
        User.objects.create_superuser("admin@localhost", "admin")
