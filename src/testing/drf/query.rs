use reqwest::Url;
use serde_json::{Map, json};

use crate::testing::answer::Answer;
use crate::testing::drf;

/// The value of a query parameter: the last one if it is repeated, none if it is blank.
pub(crate) fn text(url: &Url, name: &str) -> Option<String> {
    let (_, value) = url.query_pairs().filter(|(key, _)| key == name).last()?;
    (!value.is_empty()).then(|| value.into_owned())
}

/// `true`, `false`, `1` or `0` in any case; anything else is no filter.
pub(crate) fn boolean(url: &Url, name: &str) -> Option<bool> {
    match text(url, name)?.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// One key of an ordering.
pub(crate) struct Order<K> {
    pub(crate) key: K,
    pub(crate) descending: bool,
}

/// The keys of a comma-joined `ordering`, most significant first.
///
/// An unknown key is an error, as it is for django-filter, whose wording the published page uses.
pub(crate) fn ordering<K: Copy>(url: &Url, keys: &[(&str, K)]) -> Result<Vec<Order<K>>, Answer> {
    let Some(value) = text(url, "ordering") else {
        return Ok(Vec::new());
    };
    let wanted = value.split(',').filter(|part| !part.is_empty());
    wanted.map(|part| order(part, keys)).collect()
}

fn order<K: Copy>(part: &str, keys: &[(&str, K)]) -> Result<Order<K>, Answer> {
    let name = part.strip_prefix('-').unwrap_or(part);
    let Some((_, key)) = keys.iter().find(|(known, _)| *known == name) else {
        let message = format!("Select a valid choice. {part} is not one of the available choices.");
        let errors = Map::from_iter([("ordering".to_owned(), json!([message]))]);
        return Err(drf::invalid(errors));
    };
    Ok(Order {
        key: *key,
        descending: part.starts_with('-'),
    })
}
