//! Lists that a service returns in numbered pages.

mod changes;

use std::collections::VecDeque;
use std::fmt;
use std::hash::RandomState;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec;

use futures_util::stream::Stream;
use tokio::task::JoinSet;
use tracing::Instrument;

use self::changes::Changes;
use super::log;
use crate::error::{Error, ErrorKind};

/// One page of a list.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Page<T> {
    /// The items, without those on earlier pages. Can be empty before the last page.
    pub items: Vec<T>,
    /// The total number of items, as reported by the server.
    pub count: u64,
    /// Whether the server reports another page.
    pub has_next: bool,
}

impl<T> Page<T> {
    pub(crate) fn new(items: Vec<T>, count: u64, has_next: bool) -> Self {
        Self {
            items,
            count,
            has_next,
        }
    }
}

/// A stream of the pages of a list, requested as they are read.
///
/// Read it with [`try_next`](Self::try_next) or as a [`Stream`]. See
/// [`Items`](Items#when-the-list-changes) for what happens if the list changes in the meantime.
#[must_use = "nothing is requested until it is read"]
pub struct Pages<T> {
    operation: &'static str,
    fetch: Box<dyn Fn(u64) -> Response<T> + Send>,
    in_a_task: fn(Response<T>) -> Response<T>,
    id: fn(&T, &RandomState) -> u64,
    requested: VecDeque<Request<T>>,
    prefetch: usize,
    start: u64,
    /// The number of the next page to request.
    next: u64,
    /// The number after that of the last page known to exist.
    end: u64,
    changes: Changes,
    done: bool,
}

type Response<T> = Pin<Box<dyn Future<Output = Result<Page<T>, Error>> + Send>>;

struct Request<T> {
    page: u64,
    /// The highest count known when the page was requested.
    count: u64,
    response: Response<T>,
}

/// A stream of the items of a list, requested page by page.
///
/// ```
/// # async fn example(preo: webhook_sdk::preo::PreoClient) -> Result<(), webhook_sdk::Error> {
/// let mut webhooks = preo.list_webhooks().is_active(true).stream();
/// while let Some(webhook) = webhooks.try_next().await? {
///     println!("{} {}", webhook.id, webhook.name);
/// }
/// # Ok(())
/// # }
/// ```
///
/// Read it with [`try_next`](Self::try_next) or as a [`Stream`]. It is `'static`, so it can be
/// returned from a function and moved into a task. It buffers one page, the
/// [prefetched](Self::prefetch) pages, and less than 200 KiB to recognize repeated items, however
/// long the list is. No page is requested twice, and the stream ends after an error. Pages are
/// requested by number; URLs from the server are never followed.
///
/// # When the list changes
///
/// A page is a window of the list at the time of its request. If items are removed after they were
/// read, the remaining items move up, some of them to a page that was already read. Therefore,
/// **collect the items before you delete them or change a field that you filter or order by**:
///
/// ```
/// # async fn example(preo: webhook_sdk::preo::PreoClient) -> Result<(), webhook_sdk::Error> {
/// let webhooks = preo.list_webhooks().is_active(true).all().await?;
/// for webhook in webhooks {
///     preo.delete_webhook(webhook.id).send().await?;
/// }
/// # Ok(())
/// # }
/// ```
///
/// - If items are removed, reading fails as soon as the server reports fewer items than before, or
///   a page no longer exists. Items may have been skipped.
/// - If items are added, reading succeeds. An item that moves to the next page is returned once.
///   New items are returned if they are on a page that hasn't been read yet.
/// - If pages repeat more items than were added, reading fails, because the list was reordered, or
///   items were both removed and added. A repeated item is recognized if it is one of the last 5,000
///   (our default).
/// - If the pages form a cycle, reading fails, at the latest in the third round.
/// - After 100 pages in a row without a new item, reading fails.
///
/// If one item is removed and another is added between two requests, and neither was read, the
/// change can't be detected.
#[must_use = "nothing is requested until it is read"]
pub struct Items<T> {
    pages: Pages<T>,
    page: vec::IntoIter<T>,
}

/// Adds `pages`, `stream`, and `all` to a list operation.
#[cfg(pages)]
macro_rules! paginated {
    ($name:literal, $operation:ident: $page:ident of $item:ident) => {
        impl operation::$operation {
            /// Streams all matching items, requesting pages as they are read.
            ///
            /// Starts at [`page`](Self::page), by default the first. Collect the items with
            /// [`all`](Self::all) before you change or delete any of them: see
            /// [`Items`](crate::pagination::Items#when-the-list-changes).
            pub fn stream(self) -> $crate::client::pagination::Items<types::$item> {
                self.pages().items()
            }

            /// Streams all pages, requesting them as they are read.
            ///
            /// Starts at [`page`](Self::page), by default the first. Collect the items with
            /// [`all`](Self::all) before you change or delete any of them: see
            /// [`Items`](crate::pagination::Items#when-the-list-changes).
            pub fn pages(self) -> $crate::client::pagination::Pages<types::$item> {
                let start = self.page.unwrap_or(1);
                $crate::client::pagination::Pages::new(
                    $name,
                    |item: &types::$item, state| {
                        ::std::hash::BuildHasher::hash_one(state, &item.id)
                    },
                    move |number| {
                        let request = self.clone().page(number);
                        async move {
                            let page = request.send().await?;
                            Ok($crate::client::pagination::Page::new(
                                page.results,
                                page.count,
                                page.next.is_some(),
                            ))
                        }
                    },
                )
                .start_page(start)
            }

            /// Collects all matching items, up to 100,000.
            ///
            /// # Errors
            ///
            /// Same as [`Items::all`](crate::pagination::Items::all).
            pub async fn all(self) -> Result<Vec<types::$item>, Error> {
                self.stream().all().await
            }
        }
    };
}

#[cfg(pages)]
pub(crate) use paginated;

/// Limits the memory and concurrent requests of prefetching; our default.
const MAX_PREFETCH: usize = 16;

/// Limits the memory of a collected list; our default.
const MAX_COLLECTED: usize = 100_000;

impl<T> Pages<T> {
    pub(crate) fn new<F, P>(
        operation: &'static str,
        id: fn(&T, &RandomState) -> u64,
        fetch: F,
    ) -> Self
    where
        F: Fn(u64) -> P + Send + 'static,
        P: Future<Output = Result<Page<T>, Error>> + Send + 'static,
        T: Send + 'static,
    {
        Self {
            operation,
            fetch: Box::new(move |number| Box::pin(fetch(number))),
            in_a_task,
            id,
            requested: VecDeque::new(),
            prefetch: 0,
            start: 1,
            next: 1,
            end: 2,
            changes: Changes::default(),
            done: false,
        }
    }

    /// Prefetches up to `pages` pages, at most 16. Defaults to none.
    ///
    /// Prefetching starts after the first page, and never goes beyond the reported count.
    pub fn prefetch(mut self, pages: usize) -> Self {
        self.prefetch = pages.min(MAX_PREFETCH);
        self
    }

    /// Starts at this page instead of the first, which is 1.
    ///
    /// Call it before the first page is read. Reading page [`u64::MAX`] fails as a validation error.
    pub fn start_page(mut self, page: u64) -> Self {
        (self.start, self.next, self.end) = (page, page, page.saturating_add(1));
        self
    }

    /// Converts the pages into a stream of their items.
    pub fn items(self) -> Items<T> {
        Items {
            pages: self,
            page: Vec::new().into_iter(),
        }
    }

    /// Returns the next page, or `None` after the last page or an error.
    ///
    /// # Errors
    ///
    /// Returns an error if the list call fails, or if [the list
    /// changed](Items#when-the-list-changes).
    pub async fn try_next(&mut self) -> Result<Option<Page<T>>, Error> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context))
            .await
            .transpose()
    }

    fn request_up_to(&mut self, pages: usize) {
        while self.next < self.end && self.requested.len() < pages {
            let response = (self.fetch)(self.next);
            self.requested.push_back(Request {
                page: self.next,
                count: self.changes.count(),
                response: match self.prefetch {
                    0 => response,
                    _ => (self.in_a_task)(response),
                },
            });
            self.next += 1;
        }
    }

    fn accept(
        &mut self,
        request: &Request<T>,
        result: Result<Page<T>, Error>,
    ) -> Result<Page<T>, Error> {
        let mut page = match result {
            Err(error) if error.is_not_found() && request.page > self.start => {
                return Err(Changes::page_vanished(request.page).with_source(error));
            }
            result => result?,
        };
        let id = self.id;
        self.changes
            .observe(request.page, request.count, &mut page, id)?;
        if !page.has_next {
            self.changes.finish(self.start)?;
            self.finish();
            return Ok(page);
        }
        let announced = self.changes.announced_pages();
        self.end = announced.max(request.page + 1).saturating_add(1);
        self.request_up_to(self.prefetch);
        Ok(page)
    }

    fn finish(&mut self) {
        self.done = true;
        self.requested = VecDeque::new();
    }
}

/// Starts a request in a task, which is canceled when the result is dropped.
fn in_a_task<T: Send + 'static>(request: Response<T>) -> Response<T> {
    let mut task = JoinSet::new();
    task.spawn(request.in_current_span());
    Box::pin(async move {
        match task.join_next().await {
            Some(Ok(result)) => result,
            Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            _ => {
                let message = "the runtime is shutting down";
                Err(Error::new(ErrorKind::Disconnected, message))
            }
        }
    })
}

impl<T> Unpin for Pages<T> {}

impl<T> Stream for Pages<T> {
    type Item = Result<Page<T>, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.done {
            return Poll::Ready(None);
        }
        this.request_up_to(this.prefetch + 1);
        let result = match this.requested.pop_front() {
            Some(mut first) => match first.response.as_mut().poll(context) {
                Poll::Ready(result) => this.accept(&first, result),
                Poll::Pending => {
                    this.requested.push_front(first);
                    return Poll::Pending;
                }
            },
            None => {
                let message = format!("page {} can't be requested", this.next);
                Err(Error::new(ErrorKind::Validation, message))
            }
        };
        Poll::Ready(Some(result.map_err(|error| {
            this.finish();
            if error.operation().is_some() {
                return error;
            }
            let error = error.with_operation(this.operation);
            log::failure(&error);
            error
        })))
    }
}

impl<T> fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("operation", &self.operation)
            .field("next", &self.next)
            .field("prefetch", &self.prefetch)
            .field("done", &self.done)
            .finish_non_exhaustive()
    }
}

impl<T> Items<T> {
    /// Prefetches up to `pages` pages, at most 16. Defaults to none.
    ///
    /// Prefetching starts after the first page, and never goes beyond the reported count.
    pub fn prefetch(mut self, pages: usize) -> Self {
        self.pages = self.pages.prefetch(pages);
        self
    }

    /// Starts at this page instead of the first, which is 1.
    ///
    /// Call it before the first item is read.
    pub fn start_page(mut self, page: u64) -> Self {
        self.pages = self.pages.start_page(page);
        self
    }

    /// Returns the next item, or `None` after the last item or an error.
    ///
    /// # Errors
    ///
    /// Returns an error if the list call fails, or if [the list
    /// changed](Self#when-the-list-changes).
    pub async fn try_next(&mut self) -> Result<Option<T>, Error> {
        loop {
            if let Some(item) = self.page.next() {
                return Ok(Some(item));
            }
            match self.pages.try_next().await? {
                Some(page) => self.page = page.items.into_iter(),
                None => return Ok(None),
            }
        }
    }

    /// Collects the items, up to 100,000.
    ///
    /// # Errors
    ///
    /// Returns an error if [`try_next`](Self::try_next) does, or if there are more than 100,000
    /// items.
    pub async fn all(mut self) -> Result<Vec<T>, Error> {
        let mut items = Vec::new();
        while let Some(item) = self.try_next().await? {
            if items.len() == MAX_COLLECTED {
                let message = format!("more than {MAX_COLLECTED} items: read them with `stream`");
                let error =
                    Error::new(ErrorKind::TooLarge, message).with_operation(self.pages.operation);
                log::failure(&error);
                return Err(error);
            }
            items.push(item);
        }
        Ok(items)
    }
}

impl<T> Unpin for Items<T> {}

impl<T> Stream for Items<T> {
    type Item = Result<T, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(item) = this.page.next() {
                return Poll::Ready(Some(Ok(item)));
            }
            match ready!(Pin::new(&mut this.pages).poll_next(context)) {
                Some(Ok(page)) => this.page = page.items.into_iter(),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl<T> fmt::Debug for Items<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items")
            .field("pages", &self.pages)
            .finish_non_exhaustive()
    }
}
