use webhook_sdk::pretix::{ActionType, TargetUrl};

const DOCUMENT: &str = include_str!("../../../openapi-pretix.yaml");

#[test]
fn the_document_lists_the_known_action_types() {
    let listed: Vec<&str> = DOCUMENT
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("- "))
        .filter(|name| name.starts_with("pretix."))
        .collect();
    let known: Vec<&str> = ActionType::KNOWN.iter().map(ActionType::as_str).collect();
    assert_eq!(listed, known);
}

#[test]
fn every_path_ends_with_a_slash() {
    let paths: Vec<&str> = DOCUMENT
        .lines()
        .filter(|line| line.starts_with("  /"))
        .collect();
    assert_eq!(paths.len(), 2);
    assert!(paths.iter().all(|path| path.ends_with("/:")), "{paths:?}");
}

#[test]
fn document_and_type_have_the_same_url_length_limit() {
    let (_, schema) = DOCUMENT.split_once("\n    TargetUrl:\n").unwrap();
    let bound = schema
        .lines()
        .find_map(|line| line.trim().strip_prefix("maxLength: "))
        .unwrap();
    assert_eq!(bound, TargetUrl::MAX_LENGTH.to_string());
}
