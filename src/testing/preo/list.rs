use std::cmp::Ordering;

use chrono::{DateTime, Utc};
use reqwest::Url;

use crate::testing::answer::Answer;
use crate::testing::drf;
use crate::testing::drf::page::Paging;
use crate::testing::drf::query::{self, Order};
use crate::testing::preo::delivery::PreoFakeDelivery;
use crate::testing::preo::state::State;
use crate::testing::preo::webhook::PreoFakeWebhook;

#[derive(Clone, Copy)]
enum Key {
    Created,
    Modified,
    Name,
}

const KEYS: [(&str, Key); 3] = [
    ("created", Key::Created),
    ("modified", Key::Modified),
    ("name", Key::Name),
];

/// The page of endpoints that `url` asks for.
pub(super) fn webhooks(state: &State, paging: &Paging, url: &Url) -> Result<Answer, Answer> {
    let order = query::ordering(url, &KEYS)?;
    let filter = Filter::of(url);
    if filter.is_empty() && order.is_empty() {
        let rows = state.webhooks();
        return Ok(paging.answer(url, state.len(), rows, PreoFakeWebhook::view));
    }
    let mut rows: Vec<_> = state
        .webhooks()
        .filter(|webhook| filter.admits(webhook))
        .collect();
    sort(&mut rows, &order);
    Ok(paging.answer(url, rows.len(), rows.into_iter(), PreoFakeWebhook::view))
}

/// The page of one endpoint's deliveries that `url` asks for.
pub(super) fn deliveries(
    state: &State,
    webhook_id: &str,
    paging: &Paging,
    url: &Url,
) -> Result<Answer, Answer> {
    let table = state.deliveries(webhook_id).ok_or_else(drf::not_found)?;
    let order = query::ordering(url, &KEYS)?;
    let status = query::text(url, "status");
    if status.is_none() && order.is_empty() {
        let rows = table.rows();
        return Ok(paging.answer(url, table.len(), rows, PreoFakeDelivery::view));
    }
    let mut rows: Vec<_> = table
        .rows()
        .filter(|row| {
            status
                .as_deref()
                .is_none_or(|wanted| row.status.as_str() == wanted)
        })
        .collect();
    sort(&mut rows, &order);
    Ok(paging.answer(url, rows.len(), rows.into_iter(), PreoFakeDelivery::view))
}

struct Filter {
    edition_id: Option<String>,
    organization_id: Option<String>,
    is_active: Option<bool>,
}

impl Filter {
    fn of(url: &Url) -> Self {
        Self {
            edition_id: query::text(url, "edition_id"),
            organization_id: query::text(url, "organization_id"),
            is_active: query::boolean(url, "is_active"),
        }
    }

    fn is_empty(&self) -> bool {
        self.edition_id.is_none() && self.organization_id.is_none() && self.is_active.is_none()
    }

    fn admits(&self, webhook: &PreoFakeWebhook) -> bool {
        let edition = self.edition_id.is_none() || self.edition_id == webhook.edition_id;
        let organization =
            self.organization_id.is_none() || self.organization_id == webhook.organization_id;
        edition
            && organization
            && self
                .is_active
                .is_none_or(|active| active == webhook.is_active)
    }
}

/// A row that can be ordered by the published keys.
trait Row {
    fn created(&self) -> DateTime<Utc>;
    fn modified(&self) -> DateTime<Utc>;
    fn name(&self) -> &str;
}

impl Row for PreoFakeWebhook {
    fn created(&self) -> DateTime<Utc> {
        self.created
    }

    fn modified(&self) -> DateTime<Utc> {
        self.modified
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl Row for PreoFakeDelivery {
    fn created(&self) -> DateTime<Utc> {
        self.created
    }

    fn modified(&self) -> DateTime<Utc> {
        self.last_attempt_at.unwrap_or(self.created)
    }

    fn name(&self) -> &str {
        ""
    }
}

/// Stable, so that rows with equal keys stay in the order of their creation.
fn sort<R: Row>(rows: &mut [&R], order: &[Order<Key>]) {
    if order.is_empty() {
        return;
    }
    rows.sort_by(|a, b| {
        order.iter().fold(Ordering::Equal, |ordering, order| {
            ordering.then_with(|| compare(*a, *b, order))
        })
    });
}

fn compare<R: Row>(a: &R, b: &R, order: &Order<Key>) -> Ordering {
    let ordering = match order.key {
        Key::Created => a.created().cmp(&b.created()),
        Key::Modified => a.modified().cmp(&b.modified()),
        Key::Name => a.name().cmp(b.name()),
    };
    if order.descending {
        ordering.reverse()
    } else {
        ordering
    }
}
