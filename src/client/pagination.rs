//! Lists that come in numbered pages.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec;

use futures_util::future::{MaybeDone, maybe_done};
use futures_util::stream::Stream;

use crate::error::{Error, ErrorKind};

/// One page of a list.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Page<T> {
    /// What the page holds; a page in the middle of a list may be empty.
    pub items: Vec<T>,
    /// How many items the server says there are over all pages.
    pub count: u64,
    /// Whether the server says that another page follows.
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

/// The pages of a list, requested as they are read.
///
/// Read it with [`try_next`](Self::try_next) or as a [`Stream`]. Pages are asked for by number, so
/// that no address from the server is ever followed. An empty page is passed on and not taken for
/// the end, unless 100 follow one another; a page that repeats the one before is an error. Nothing
/// follows an error.
pub struct Pages<'a, T> {
    fetch: Box<dyn Fn(u64) -> Fetching<'a, T> + Send + 'a>,
    under_way: VecDeque<MaybeDone<Fetching<'a, T>>>,
    ahead: usize,
    /// The number of the next page to ask for.
    next: u64,
    /// The last page there is, as far as the pages so far tell.
    last: u64,
    page_size: u64,
    /// How many pages in a row were empty.
    empty: u32,
    repeated: Option<String>,
    done: bool,
}

/// The items of a list, page by page as they are read.
///
/// Holds one page in memory, and those that were [prefetched](Self::prefetch). Read it with
/// [`try_next`](Self::try_next) or as a [`Stream`].
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
pub struct Items<'a, T> {
    pages: Pages<'a, T>,
    page: vec::IntoIter<T>,
}

/// Makes a list operation readable to its end: `pages`, `stream` and `prefetch`.
#[cfg(any(feature = "preo", feature = "pretix"))]
macro_rules! paginated {
    ($operation:ident: $page:ident of $item:ident) => {
        impl<'a> builder::$operation<'a> {
            /// Everything that the filters let through, page by page as it is read.
            ///
            /// Begins with the first page, whatever `page` says.
            pub fn stream(self) -> $crate::client::pagination::Items<'a, types::$item> {
                self.pages().items()
            }

            /// The pages themselves.
            ///
            /// Begins with the first page, whatever `page` says.
            pub fn pages(self) -> $crate::client::pagination::Pages<'a, types::$item> {
                $crate::client::pagination::Pages::new(move |number| {
                    let request = self.clone().page(number);
                    async move { Ok(request.send().await?.into_inner().into()) }
                })
            }

            /// Like [`stream`](Self::stream), with up to `pages` pages requested ahead of the reader.
            pub fn prefetch(
                self,
                pages: usize,
            ) -> $crate::client::pagination::Items<'a, types::$item> {
                self.pages().prefetch(pages).items()
            }
        }

        impl $crate::client::pagination::Listed for types::$item {
            fn id(&self) -> ::std::borrow::Cow<'_, str> {
                $crate::client::pagination::Identifier::text(&self.id)
            }
        }

        impl From<types::$page> for $crate::client::pagination::Page<types::$item> {
            fn from(page: types::$page) -> Self {
                Self::new(page.results, page.count, page.next.is_some())
            }
        }
    };
}

#[cfg(any(feature = "preo", feature = "pretix"))]
pub(crate) use paginated;

/// What identifies an entry of a list.
pub(crate) trait Identifier {
    fn text(&self) -> Cow<'_, str>;
}

impl Identifier for String {
    fn text(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }
}

impl Identifier for i64 {
    fn text(&self) -> Cow<'_, str> {
        Cow::Owned(self.to_string())
    }
}

/// An entry of a list, told from others by its identifier.
///
/// Of each page only the first entry is asked for it.
pub(crate) trait Listed: Unpin {
    fn id(&self) -> Cow<'_, str>;
}

/// Our bound: a server that keeps its word has no reason to send even two.
const MAX_EMPTY_PAGES: u32 = 100;

type Fetching<'a, T> = Pin<Box<dyn Future<Output = Result<Page<T>, Error>> + Send + 'a>>;

#[expect(private_bounds, reason = "only what this crate lists can be in a page")]
impl<'a, T: Listed> Pages<'a, T> {
    pub(crate) fn new<F, P>(fetch: F) -> Self
    where
        F: Fn(u64) -> P + Send + 'a,
        P: Future<Output = Result<Page<T>, Error>> + Send + 'a,
    {
        Self {
            fetch: Box::new(move |number| Box::pin(fetch(number))),
            under_way: VecDeque::new(),
            ahead: 0,
            next: 1,
            last: 1,
            page_size: 0,
            empty: 0,
            repeated: None,
            done: false,
        }
    }

    /// Requests up to `pages` pages before they are read; none by default.
    ///
    /// They are in memory until they are read. How many there are to request is known from the
    /// first page on.
    #[must_use]
    pub fn prefetch(mut self, pages: usize) -> Self {
        self.ahead = pages;
        self
    }

    /// The items of the pages.
    pub fn items(self) -> Items<'a, T> {
        Items {
            pages: self,
            page: Vec::new().into_iter(),
        }
    }

    /// The next page; `None` after the last one and after an error.
    ///
    /// # Errors
    ///
    /// Those of the list call, and one when the server sends the same page again, or 100 empty pages
    /// in a row.
    pub async fn try_next(&mut self) -> Result<Option<Page<T>>, Error> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context))
            .await
            .transpose()
    }

    /// Starts requests until this many are under way; each goes on by itself once it was polled.
    fn request_up_to(&mut self, pages: usize, context: &mut Context<'_>) {
        while self.next <= self.last && self.under_way.len() < pages {
            let mut page = maybe_done((self.fetch)(self.next));
            let _ = Pin::new(&mut page).poll(context);
            self.under_way.push_back(page);
            self.next += 1;
        }
    }

    /// Takes note of what a page says of those after it.
    fn accept(&mut self, page: &Page<T>) -> Result<(), Error> {
        let first = page.items.first().map(Listed::id);
        if first.is_some() && first.as_deref() == self.repeated.as_deref() {
            return Err(Error::new(
                ErrorKind::ListChanged,
                "the server sent the same page twice, so the list can't be read to its end",
            ));
        }
        if let Some(first) = first {
            self.repeated = Some(first.into_owned());
        }
        if !page.has_next {
            self.finish();
            return Ok(());
        }
        self.empty = if page.items.is_empty() {
            self.empty + 1
        } else {
            0
        };
        if self.empty == MAX_EMPTY_PAGES {
            return Err(Error::new(
                ErrorKind::ListChanged,
                "the server sends one empty page after the other, so the list has no end",
            ));
        }
        self.page_size = self.page_size.max(page.items.len() as u64);
        let counted = match self.page_size {
            0 => 0,
            page_size => page.count.div_ceil(page_size),
        };
        let awaited = self.next - self.under_way.len() as u64;
        self.last = awaited.max(counted);
        Ok(())
    }

    fn finish(&mut self) {
        self.done = true;
        self.under_way = VecDeque::new();
    }
}

impl<T: Listed> Stream for Pages<'_, T> {
    type Item = Result<Page<T>, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.done {
            return Poll::Ready(None);
        }
        this.request_up_to(this.ahead.saturating_add(1), context);
        let Some(first) = this.under_way.front_mut() else {
            return Poll::Ready(None);
        };
        ready!(Pin::new(first).poll(context));
        let fetched = this.under_way.pop_front();
        let Some(fetched) = fetched.and_then(|mut page| Pin::new(&mut page).take_output()) else {
            return Poll::Ready(None);
        };
        let result = fetched.and_then(|page| {
            this.accept(&page)?;
            this.request_up_to(this.ahead, context);
            Ok(page)
        });
        if result.is_err() {
            this.finish();
        }
        Poll::Ready(Some(result))
    }
}

impl<T> fmt::Debug for Pages<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("next", &self.next)
            .field("prefetch", &self.ahead)
            .field("done", &self.done)
            .finish_non_exhaustive()
    }
}

#[expect(private_bounds, reason = "only what this crate lists can be in a page")]
impl<T: Listed> Items<'_, T> {
    /// Requests up to `pages` pages before they are read; none by default.
    #[must_use]
    pub fn prefetch(mut self, pages: usize) -> Self {
        self.pages = self.pages.prefetch(pages);
        self
    }

    /// The next item; `None` after the last one and after an error.
    ///
    /// # Errors
    ///
    /// Those of the list call, and one when the server sends the same page again, or 100 empty pages
    /// in a row.
    pub async fn try_next(&mut self) -> Result<Option<T>, Error> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context))
            .await
            .transpose()
    }
}

impl<T: Listed> Stream for Items<'_, T> {
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

impl<T> fmt::Debug for Items<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items")
            .field("pages", &self.pages)
            .finish_non_exhaustive()
    }
}
