//! Numbered pages of a list, as in Django REST framework.

use http::StatusCode;
use reqwest::Url;
use serde_json::{Value, json};
use wiremock::Request;

use super::error_format::ErrorFormat;
use super::reply::{self, Reply};

/// The value of a query parameter: the last one if it is repeated, or `None` if it is blank.
pub(crate) fn query(request: &Request, name: &str) -> Option<String> {
    let pairs = request.url.query_pairs();
    let (_, value) = pairs.filter(|(key, _)| key == name).last()?;
    (!value.is_empty()).then(|| value.into_owned())
}

/// The requested page of `rows`, each converted by `view`.
pub(crate) fn page<T>(
    request: &Request,
    base_url: &str,
    size: usize,
    rows: &[T],
    view: impl Fn(&T) -> Value,
) -> Result<Reply, Reply> {
    let last = rows.len().div_ceil(size).max(1);
    let number = match query(request, "page").as_deref() {
        None => Some(1),
        Some("last") => Some(last),
        Some(number) => number.parse().ok().filter(|page| (1..=last).contains(page)),
    };
    let Some(number) = number else {
        return Err(ErrorFormat::Drf.with_message(StatusCode::NOT_FOUND, "Invalid page."));
    };
    let results = rows.chunks(size).nth(number - 1).unwrap_or_default();
    let link = |page| link(base_url, &request.url, page);
    let body = json!({
        "count": rows.len(),
        "next": (number < last).then(|| link(number + 1)),
        "previous": (number > 1).then(|| link(number - 1)),
        "results": results.iter().map(view).collect::<Vec<_>>(),
    });
    Ok(reply::json(StatusCode::OK, &body))
}

/// A link to another page, with the same parameters.
fn link(base_url: &str, url: &Url, page: usize) -> Option<String> {
    let mut link = Url::parse(base_url).ok()?.join(url.path()).ok()?;
    let others = url.query_pairs().filter(|(name, _)| name != "page");
    link.query_pairs_mut()
        .extend_pairs(others)
        .append_pair("page", &page.to_string());
    Some(link.into())
}
