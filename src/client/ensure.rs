//! A webhook with the desired settings, created or updated only where needed.

use tracing::warn;
use url::Url;

use super::log;
use crate::error::{Error, ErrorKind};

/// The operation name in errors.
const OPERATION: &str = "ensure_webhook";

/// The outcome of `ensure_webhook`, with the webhook.
///
/// `C` is the type of a created webhook, `F` that of one that was found. They differ for Lune, which
/// sends the secret only when it creates a webhook.
///
/// ```
/// use webhook_sdk::Ensured;
/// # async fn example(preo: webhook_sdk::preo::PreoClient, desired: webhook_sdk::preo::WebhookCreate) -> Result<(), webhook_sdk::Error> {
/// match preo.ensure_webhook(desired).send().await? {
///     Ensured::Created(webhook) => println!("created {}", webhook.id),
///     Ensured::Updated { webhook, changed } => println!("{}: {changed:?}", webhook.id),
///     Ensured::Unchanged(webhook) => println!("{} is up to date", webhook.id),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Ensured<C, F = C> {
    /// The webhook didn't exist, and was created.
    Created(C),
    /// The webhook existed with other settings, and was updated.
    Updated {
        /// The webhook after the update.
        webhook: F,
        /// The fields that differed, by their names in the API.
        changed: Vec<&'static str>,
    },
    /// The webhook already had the desired settings. Nothing was changed.
    Unchanged(F),
}

impl<W> Ensured<W> {
    /// The webhook, whether it was created, updated, or unchanged.
    pub fn webhook(&self) -> &W {
        let (Self::Created(webhook) | Self::Updated { webhook, .. } | Self::Unchanged(webhook)) =
            self;
        webhook
    }

    /// Converts into the webhook, whether it was created, updated, or unchanged.
    pub fn into_webhook(self) -> W {
        let (Self::Created(webhook) | Self::Updated { webhook, .. } | Self::Unchanged(webhook)) =
            self;
        webhook
    }
}

/// How well an existing webhook with the desired URL matches the desired one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Match {
    /// It counts as deleted, but can be enabled again.
    #[allow(dead_code, reason = "pretix alone keeps them")]
    Deleted,
    /// It may serve another purpose. It is used only if no other one matches better.
    #[allow(dead_code, reason = "Lune alone has them")]
    Similar,
    Same,
}

/// An existing webhook.
pub(crate) struct Candidate<T> {
    pub(crate) id: String,
    pub(crate) url: String,
    /// Orders webhooks by creation.
    pub(crate) created: i64,
    pub(crate) quality: Match,
    pub(crate) webhook: T,
}

impl<T> Candidate<T> {
    fn order(&self) -> (i64, &str) {
        (self.created, &self.id)
    }
}

/// The service's part of `ensure_webhook`.
pub(crate) trait Ensure: Sync {
    type Item: Send;
    type Created: Send;
    type Found: Send;

    /// The desired URL.
    fn url(&self) -> &str;

    /// The existing webhooks, with any URL.
    fn list(&self) -> impl Future<Output = Result<Vec<Candidate<Self::Item>>, Error>> + Send;

    /// Creates the webhook, and returns its id.
    fn create(&self) -> impl Future<Output = Result<(String, Self::Created), Error>> + Send;

    fn delete(&self, created: Self::Created) -> impl Future<Output = Result<(), Error>> + Send;

    /// Updates what differs, and returns the names of the fields.
    fn update(
        &self,
        webhook: Self::Item,
    ) -> impl Future<Output = Result<(Self::Found, Changes), Error>> + Send;
}

/// The names of the fields that differ.
#[derive(Default)]
pub(crate) struct Changes(Vec<&'static str>);

impl Changes {
    /// The value to send if the field differs.
    pub(crate) fn when<T: Clone>(
        &mut self,
        differs: bool,
        field: &'static str,
        desired: &T,
    ) -> Option<T> {
        differs.then(|| {
            self.0.push(field);
            desired.clone()
        })
    }

    /// The webhook after the update, which is only sent if a field differs.
    pub(crate) async fn sent<W>(
        self,
        webhook: W,
        update: impl Future<Output = Result<W, Error>>,
    ) -> Result<(W, Self), Error> {
        match self.0.is_empty() {
            true => Ok((webhook, self)),
            false => Ok((update.await?, self)),
        }
    }
}

/// Concurrent calls end with one webhook: after creating one, each call lists the webhooks again.
/// If an earlier one exists, the call deletes its own and uses the earlier one.
pub(crate) async fn ensure<E: Ensure>(desired: &E) -> Result<Ensured<E::Created, E::Found>, Error> {
    if let Some(found) = best_match(candidates(desired).await?)? {
        return reconcile(desired, found).await;
    }
    let (id, created) = desired.create().await?;
    let candidates = match candidates(desired).await {
        Ok(candidates) => candidates,
        Err(error) => {
            // The secret of the new webhook must not be lost.
            warn!(target: "webhook_sdk", operation = OPERATION, reason = ?error.kind(), "duplicates not checked");
            return Ok(Ensured::Created(created));
        }
    };
    let same = candidates
        .into_iter()
        .filter(|candidate| candidate.quality == Match::Same);
    match same.min_by(|a, b| a.order().cmp(&b.order())) {
        Some(earliest) if earliest.id != id => {
            match desired.delete(created).await {
                Err(error) if !error.is_not_found() => return Err(error),
                _ => {}
            }
            reconcile(desired, earliest).await
        }
        _ => Ok(Ensured::Created(created)),
    }
}

/// The webhooks with the desired URL.
async fn candidates<E: Ensure>(desired: &E) -> Result<Vec<Candidate<E::Item>>, Error> {
    let mut webhooks = desired.list().await?;
    webhooks.retain(|webhook| same_endpoint(&webhook.url, desired.url()));
    Ok(webhooks)
}

async fn reconcile<E: Ensure>(
    desired: &E,
    found: Candidate<E::Item>,
) -> Result<Ensured<E::Created, E::Found>, Error> {
    let (webhook, Changes(changed)) = desired.update(found.webhook).await?;
    Ok(match changed.is_empty() {
        true => Ensured::Unchanged(webhook),
        false => Ensured::Updated { webhook, changed },
    })
}

/// The best candidate, if it is unique. Of deleted webhooks, the earliest.
fn best_match<T>(mut candidates: Vec<Candidate<T>>) -> Result<Option<Candidate<T>>, Error> {
    let Some(best) = candidates.iter().map(|candidate| candidate.quality).max() else {
        return Ok(None);
    };
    candidates.retain(|candidate| candidate.quality == best);
    candidates.sort_by(|a, b| a.order().cmp(&b.order()));
    if best != Match::Deleted && candidates.len() > 1 {
        let ids: Vec<_> = candidates
            .iter()
            .take(MAX_IDS)
            .map(|c| c.id.as_str())
            .collect();
        let message = format!(
            "{} webhooks have this URL: {}; delete all but one",
            candidates.len(),
            ids.join(", ")
        );
        let error = Error::new(ErrorKind::Conflict, message).with_operation(OPERATION);
        return Err(log::failed(error));
    }
    Ok(candidates.into_iter().next())
}

/// How many ids an error lists; our bound.
const MAX_IDS: usize = 10;

/// Whether two URLs are the same except for credentials and the fragment.
fn same_endpoint(a: &str, b: &str) -> bool {
    let endpoint = |text| {
        let mut url = Url::parse(text).ok()?;
        url.set_username("").ok()?;
        url.set_password(None).ok()?;
        url.set_fragment(None);
        Some(url)
    };
    match (endpoint(a), endpoint(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

/// Whether two URLs are equal after normalization.
pub(crate) fn same_url(a: &str, b: &str) -> bool {
    a == b || Url::parse(a).is_ok_and(|a| Url::parse(b).is_ok_and(|b| a == b))
}
