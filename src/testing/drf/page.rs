use std::collections::BTreeMap;

use http::StatusCode;
use reqwest::Url;
use serde::Serialize;

use crate::testing::answer::Answer;
use crate::testing::drf::{detail, query};

/// How a service cuts its lists into pages.
pub(crate) struct Paging {
    pub(crate) base_url: Url,
    pub(crate) default_size: usize,
    pub(crate) max_size: Option<usize>,
}

#[derive(Serialize)]
struct Envelope<V> {
    count: usize,
    next: Option<String>,
    previous: Option<String>,
    results: Vec<V>,
}

impl Paging {
    /// The page of `items` that `url` asks for, each as `view` shows it.
    ///
    /// `count` is the number of all items; those of other pages are skipped unseen.
    pub(crate) fn answer<T, V: Serialize>(
        &self,
        url: &Url,
        count: usize,
        items: impl Iterator<Item = T>,
        view: impl Fn(T) -> V,
    ) -> Answer {
        let size = self.size(url);
        let last = count.div_ceil(size).max(1);
        let Some(number) = number(url, last) else {
            return detail(StatusCode::NOT_FOUND, "Invalid page.");
        };
        let results = items.skip((number - 1).saturating_mul(size)).take(size);
        let envelope = Envelope {
            count,
            next: (number < last).then(|| self.link(url, number + 1)),
            previous: (number > 1).then(|| self.link(url, number - 1)),
            results: results.map(view).collect(),
        };
        Answer::json(StatusCode::OK, &envelope)
    }

    /// The page size asked for, or the default if it isn't a positive number.
    fn size(&self, url: &Url) -> usize {
        let wanted = query::text(url, "page_size").and_then(|size| size.parse().ok());
        let size = wanted.filter(|size| *size > 0).unwrap_or(self.default_size);
        size.min(self.max_size.unwrap_or(usize::MAX)).max(1)
    }

    /// An absolute link to another page: the same parameters, sorted, without `page` for the first.
    fn link(&self, url: &Url, page: usize) -> String {
        let mut parameters: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (key, value) in url.query_pairs() {
            let values = parameters.entry(key.into_owned()).or_default();
            values.push(value.into_owned());
        }
        parameters.remove("page");
        if page > 1 {
            parameters.insert("page".to_owned(), vec![page.to_string()]);
        }
        let mut link = self.base_url.clone();
        link.set_path(url.path());
        if !parameters.is_empty() {
            let pairs = parameters
                .iter()
                .flat_map(|(key, values)| values.iter().map(move |value| (key, value)));
            link.query_pairs_mut().extend_pairs(pairs);
        }
        link.into()
    }
}

/// The number of the page asked for, if there is such a page.
fn number(url: &Url, last: usize) -> Option<usize> {
    match query::text(url, "page").as_deref() {
        None => Some(1),
        Some("last") => Some(last),
        Some(number) => number.parse().ok().filter(|page| (1..=last).contains(page)),
    }
}
