use std::sync::Arc;

use super::Dialect;

/// The statements for one table. Their templates call it `webhook_inbox`.
pub(super) struct Table {
    schema: Option<String>,
    pub(super) name: String,
    pub(super) insert: Arc<str>,
    pub(super) find: Arc<str>,
    pub(super) raise: Arc<str>,
    pub(super) find_higher: Arc<str>,
    pub(super) purge: Arc<str>,
    pub(super) purge_positions: Arc<str>,
    pub(super) create_versions: Arc<str>,
    pub(super) add_version: Arc<str>,
}

impl Table {
    pub(super) fn new<DB: Dialect>(schema: Option<&str>, name: &str) -> Self {
        let adapt = |statement: &str| adapt(&statement.replace("{ago}", DB::AGO), schema, name);
        Self {
            insert: adapt(DB::INSERT),
            find: adapt(FIND),
            raise: adapt(DB::RAISE),
            find_higher: adapt(FIND_HIGHER),
            purge: adapt(PURGE),
            purge_positions: adapt(PURGE_POSITIONS),
            create_versions: adapt(CREATE_VERSIONS),
            add_version: adapt(ADD_VERSION),
            schema: schema.map(str::to_owned),
            name: name.to_owned(),
        }
    }

    /// `None` for a name that would require escaping.
    pub(super) fn parse<DB: Dialect>(name: &str) -> Option<Self> {
        let (schema, name) = match name.split_once('.') {
            Some((schema, name)) if DB::HAS_SCHEMAS => (Some(schema), name),
            _ => (None, name),
        };
        let mut parts = schema.into_iter().chain([name]);
        parts
            .all(is_identifier)
            .then(|| Self::new::<DB>(schema, name))
    }

    pub(super) fn adapt(&self, statements: &str) -> Arc<str> {
        adapt(statements, self.schema.as_deref(), &self.name)
    }
}

const FIND: &str = r#"select 1 from "webhook_inbox" where event = $1"#;
const FIND_HIGHER: &str =
    r#"select 1 from "webhook_inbox_position" where stream = $1 and sequence > $2"#;
const PURGE: &str = r#"
    delete from "webhook_inbox" where event in (
        select event from "webhook_inbox" where handled_at < {ago} order by handled_at limit 1000
    ) returning 1
"#;
/// Compares the time again, because a position can be raised in the meantime.
const PURGE_POSITIONS: &str = r#"
    delete from "webhook_inbox_position" where handled_at < {ago} and stream in (
        select stream from "webhook_inbox_position" where handled_at < {ago}
        order by handled_at limit 1000
    ) returning 1
"#;
const CREATE_VERSIONS: &str =
    r#"create table if not exists "webhook_inbox_version" (version integer primary key)"#;
const ADD_VERSION: &str =
    r#"insert into "webhook_inbox_version" values ($1) on conflict do nothing returning 1"#;

fn adapt(statements: &str, schema: Option<&str>, name: &str) -> Arc<str> {
    let schema = schema.map(|schema| format!(r#""{schema}"."#));
    let schema = schema.unwrap_or_default();
    let mut statements = statements.to_owned();
    for table in ["", "_position", "_version"] {
        let general = format!(r#""webhook_inbox{table}""#);
        statements = statements.replace(&general, &format!(r#"{schema}"{name}{table}""#));
    }
    // An index is created in the schema of its table, so its name isn't qualified.
    statements
        .replace("webhook_inbox_handled_at", &format!("{name}_handled_at"))
        .replace("webhook_inbox_position_at", &format!("{name}_position_at"))
        .into()
}

/// Short enough for the longest suffix within Postgres's 63 bytes.
fn is_identifier(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    (1..=50).contains(&name.len()) && name.chars().all(is_plain)
}
