use http::header::{self, HeaderValue};
use serde::de::DeserializeOwned;

use super::{Notification, PretixClient};
use crate::client::{Response, log};
use crate::error::{Error, ErrorKind};

impl PretixClient {
    /// Fetches the current state of the object that a notification is about.
    ///
    /// ```no_run
    /// use serde::Deserialize;
    /// use webhook_sdk::pretix::{Notification, PretixClient};
    ///
    /// #[derive(Deserialize)]
    /// struct Order {
    ///     code: String,
    ///     status: String,
    /// }
    ///
    /// # async fn example(pretix: PretixClient, notification: Notification) -> Result<(), webhook_sdk::Error> {
    /// let order: Order = pretix.fetch(&notification).send().await?;
    /// let any: serde_json::Value = pretix.fetch(&notification).send().await?;
    /// # let _ = (order, any);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A notification isn't proof and only contains ids, so fetch the object to find out what
    /// happened. It is requested from [`Notification::refetch_path`] with the client's own token,
    /// base URL, retries, and limits. The token needs the permission to read it.
    pub fn fetch(&self, notification: &Notification) -> Fetch {
        Fetch {
            client: self.clone(),
            path: notification.refetch_path(),
        }
    }
}

/// A request builder for [`PretixClient::fetch`].
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct Fetch {
    client: PretixClient,
    path: Option<String>,
}

impl Fetch {
    /// Sends the request and decodes the object.
    ///
    /// # Errors
    ///
    /// - [`Error::is_validation`], before sending, if the notification has no object, or belongs to
    ///   another organizer.
    /// - [`Error::is_not_found`] if the object was deleted.
    /// - [`Error::is_forbidden`] if the token lacks the permission, **or the event was deleted**:
    ///   pretix responds with 403 for everything in a deleted event.
    pub async fn send<T: DeserializeOwned>(self) -> Result<T, Error> {
        let (value, _) = self.send_with_response().await?.into_parts();
        Ok(value)
    }

    /// Sends the request and returns the object with the response's status and headers.
    ///
    /// # Errors
    ///
    /// Same as [`send`](Self::send).
    pub async fn send_with_response<T: DeserializeOwned>(self) -> Result<Response<T>, Error> {
        let calls = &self.client.calls;
        let url = self
            .url()
            .map_err(|error| log::failed(error.with_operation("fetch")))?;
        let request = calls.client.get(url);
        let request = request.header(header::ACCEPT, HeaderValue::from_static("application/json"));
        let request = request.build().map_err(Error::transport)?;
        let answer = calls.inner.exec(&calls.client, request, "fetch").await;
        let response = Response::from_response(answer.map_err(explained)?).await;
        response.map_err(|error| error.0)
    }

    /// The object's path relative to the client's base URL.
    fn url(&self) -> Result<String, Error> {
        let invalid = |message| Error::new(ErrorKind::Validation, message);
        let path = self.path.as_deref();
        let path = path.ok_or_else(|| invalid("the notification names no object to fetch"))?;
        let base_url = &self.client.calls.baseurl;
        let organizer = base_url.rsplit('/').next();
        match path
            .trim_start_matches("/api/v1/organizers/")
            .split_once('/')
        {
            Some((named, object)) if Some(named) == organizer => Ok(format!("{base_url}/{object}")),
            _ => Err(invalid(
                "the notification belongs to another organizer than the client's",
            )),
        }
    }
}

fn explained(error: Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound => {
            error.with_message("404 Not Found; the object was deleted".to_owned())
        }
        ErrorKind::Forbidden => error.with_message(
            "403 Forbidden; the event was deleted, or the token may not read the object".to_owned(),
        ),
        _ => error,
    }
}
