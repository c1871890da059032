//! The preparation of a document for the generator.

#![allow(dead_code, reason = "the build script uses what these tests don't")]

#[path = "../../../build/document.rs"]
mod document;
#[path = "../../../build/models.rs"]
mod models;
#[path = "../../../build/prepare.rs"]
mod prepare;
#[path = "../../../build/provider.rs"]
mod provider;
#[path = "../../../build/requests.rs"]
mod requests;
#[path = "../../../build/rust.rs"]
mod rust;

use crate::yaml;
use document::Document;
use prepare::{Constraint, Kind, Prepared, Rule, prepare};
use provider::{Group, Provider};

const PROVIDER: Provider = Provider {
    module: "acme",
    document: "acme.yaml",
    handwritten: &["Handwritten"],
    examples: &[],
    root: "",
    headers: &["X-Key"],
    errors: "Drf",
    groups: &[Group {
        properties: &["everyone", "only"],
        field: "audience",
        handwritten: "Audience",
        doc: "Who sees it.",
    }],
};

/// A document with one operation of which the test says the interesting part.
fn document(operation: &str, schemas: &str) -> String {
    format!(
        r##"{{
            "openapi": "3.0.3",
            "info": {{ "title": "Acme", "version": "7" }},
            "paths": {{ "/things/{{id}}": {{ "patch": {{
                "operationId": "change_thing",
                {operation}
            }} }} }},
            "components": {{ "schemas": {{
                "Thing": {{ "type": "object", "properties": {{}} }},
                {schemas}
                "Unused": {{ "type": "string", "enum": ["never"] }}
            }} }}
        }}"##
    )
}

const ANSWER: &str = r##""responses": { "201": { "description": "", "content": {
    "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } } },
    "400": { "description": "refused" } }"##;

fn prepared(text: &str) -> Prepared {
    prepare(&Document::parse("acme.yaml", text).unwrap(), &PROVIDER).unwrap()
}

fn refusal(text: &str) -> String {
    let result = Document::parse("acme.yaml", text).and_then(|document| {
        prepare(&document, &PROVIDER)
            .and_then(|prepared| models::models(&prepared))
            .map(drop)
    });
    result.unwrap_err().to_string()
}

fn body(properties: &str) -> String {
    let operation = format!(
        r##""requestBody": {{ "content": {{ "application/json": {{ "schema":
            {{ "$ref": "#/components/schemas/Change" }} }} }} }}, {ANSWER}"##
    );
    let schemas = format!(
        r##""Change": {{ "type": "object", "required": ["name"], "properties": {{
            "name": {{ "type": "string", "maxLength": 120 }} {properties} }} }},
            "Colour": {{ "type": "string", "enum": ["red", "dark-red"] }},
            "Handwritten": {{ "type": "string", "pattern": "^x" }},"##
    );
    document(&operation, &schemas)
}

fn answer(properties: &str) -> serde_json::Value {
    let operation = r##""responses": { "200": { "description": "", "content": {
        "application/json": { "schema": { "$ref": "#/components/schemas/Answer" } } } } }"##;
    let schemas = format!(
        r##""Answer": {{ "type": "object", "required": ["id", "edition"], "properties": {{
            "id": {{ "type": "string", "maxLength": 4 }} {properties} }} }},"##
    );
    let openapi = prepared(&document(operation, &schemas)).openapi;
    serde_json::to_value(openapi).unwrap()["components"]["schemas"].take()
}

fn parameter(parameter: &str) -> String {
    document(
        &format!(r#""parameters": [{parameter}], {ANSWER}"#),
        r#""Order": { "type": "string", "enum": ["-name", "name"] },"#,
    )
}

#[test]
fn a_nullable_optional_request_property_is_a_patch() {
    let code = models::models(&prepared(&body(
        r#", "edition": { "type": "string", "nullable": true }"#,
    )));
    let code = code.unwrap().to_string();
    assert!(code.contains("pub edition : crate :: Patch < :: std :: string :: String >"));
    assert!(code.contains("crate::Patch::is_absent"));
}

#[test]
fn a_string_enum_is_open_and_keeps_its_texts() {
    let prepared = prepared(&body(
        r##", "colour": { "$ref": "#/components/schemas/Colour" }"##,
    ));
    let [colour] = &prepared.enums[..] else {
        panic!("one enum is used")
    };
    assert_eq!(colour.values, ["red", "dark-red"]);
    assert_eq!(
        prepared.replacements["Colour"],
        "crate::acme::generated::models::Colour"
    );
    let code = models::models(&prepared).unwrap().to_string();
    assert!(code.contains("DarkRed = \"dark-red\""), "{code}");
}

#[test]
fn password_is_a_secret_in_requests_and_responses() {
    let request = prepared(&body(
        r#", "key": { "type": "string", "format": "password" }"#,
    ));
    let key = request.requests[0]
        .fields
        .iter()
        .find(|field| field.name == "key")
        .unwrap();
    assert_eq!(key.kind, Kind::Named("crate::Secret".to_owned()));

    let schemas = answer(r#", "key": { "type": "string", "format": "password", "maxLength": 64 }"#);
    assert_eq!(
        schemas["Answer"]["properties"]["key"]["allOf"][0]["$ref"],
        "#/components/schemas/Secret"
    );
}

#[test]
fn a_query_array_that_does_not_explode_is_comma_joined() {
    let prepared = prepared(&parameter(
        r##"{ "name": "ordering", "in": "query", "explode": false, "schema":
            { "type": "array", "items": { "$ref": "#/components/schemas/Order" } } }"##,
    ));
    assert_eq!(
        prepared.replacements["CommaSeparatedOrder"],
        "crate::query::CommaSeparated<crate::acme::generated::models::Order>"
    );
    let code = models::models(&prepared).unwrap().to_string();
    assert!(code.contains("NameDesc = \"-name\""), "{code}");
}

#[test]
fn constraints_of_requests_are_kept_and_those_of_responses_are_dropped() {
    let request = prepared(&body(
        r#", "count": { "type": "integer", "minimum": 2, "maximum": 9 }"#,
    ));
    assert_eq!(
        request.operations[0].body,
        [
            Constraint {
                field: "count".to_owned(),
                rule: Rule::Minimum(2)
            },
            Constraint {
                field: "count".to_owned(),
                rule: Rule::Maximum(9)
            },
            Constraint {
                field: "name".to_owned(),
                rule: Rule::MaxLength(120)
            },
        ]
    );
    assert!(
        answer("")["Answer"]["properties"]["id"]
            .get("maxLength")
            .is_none()
    );
}

#[test]
fn constraint_of_a_query_parameter_is_kept() {
    let prepared = prepared(&parameter(
        r#"{ "name": "page", "in": "query", "schema": { "type": "integer", "minimum": 1 } }"#,
    ));
    assert_eq!(
        prepared.operations[0].query,
        [Constraint {
            field: "page".to_owned(),
            rule: Rule::Minimum(1)
        }]
    );
}

#[test]
fn required_nullable_property_of_a_response_can_be_missing() {
    let schemas = answer(r#", "edition": { "type": "string", "nullable": true }"#);
    assert_eq!(schemas["Answer"]["required"], serde_json::json!(["id"]));
}

#[test]
fn generator_gets_one_success_response_for_every_2xx() {
    let openapi = serde_json::to_value(prepared(&body("")).openapi).unwrap();
    let responses = openapi
        .pointer("/paths/~1things~1{id}/patch/responses")
        .unwrap();
    assert_eq!(
        responses.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["2XX"]
    );
}

#[test]
fn unused_schemas_generate_no_code() {
    assert!(prepared(&body("")).enums.is_empty());
}

#[test]
fn the_open_enums_of_error_responses_are_kept() {
    let operation = r##""responses": { "200": { "description": "" }, "400": { "description": "",
        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Failure" } } } } }"##;
    let schemas = r##""Failure": { "type": "object", "properties": {
            "code": { "$ref": "#/components/schemas/Code" },
            "more": { "type": "array", "items": { "$ref": "#/components/schemas/Failure" } } } },
        "Code": { "type": "string", "enum": ["too_late"] },"##;
    let prepared = prepared(&document(operation, schemas));
    let names: Vec<_> = prepared.enums.iter().map(|open| &open.name).collect();
    assert_eq!(names, ["Code"]);
    let openapi = serde_json::to_value(&prepared.openapi).unwrap();
    assert!(openapi["components"]["schemas"].get("Failure").is_none());
}

#[test]
fn handwritten_type_replaces_its_schema() {
    let prepared = prepared(&body(
        r##", "url": { "$ref": "#/components/schemas/Handwritten" }"##,
    ));
    assert_eq!(
        prepared.replacements["Handwritten"],
        "crate::acme::Handwritten"
    );
}

#[test]
fn client_level_parameters_are_removed_from_operations() {
    let provider = Provider {
        root: "/orgs/{org}",
        ..PROVIDER
    };
    let parameters = r#"{ "name": "org", "in": "path", "required": true, "schema": { "type": "string" } },
        { "name": "X-Key", "in": "header", "schema": { "type": "string" } },
        { "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }"#;
    let inside = parameter(parameters).replace("/things/", "/orgs/{org}/things/");
    let prepared = prepare(&Document::parse("acme.yaml", &inside).unwrap(), &provider).unwrap();
    assert_eq!(prepared.operations[0].path, "/things/{id}");
    let openapi = serde_json::to_value(&prepared.openapi).unwrap();
    let left = &openapi["paths"]["/things/{id}"]["patch"]["parameters"];
    assert_eq!(left.as_array().unwrap().len(), 1);
    assert_eq!(left[0]["name"], "id");

    let outside = Document::parse("acme.yaml", &parameter(parameters)).unwrap();
    let refusal = prepare(&outside, &provider).unwrap_err().to_string();
    assert_eq!(
        refusal,
        "acme.yaml: /things/{id}: doesn't begin with /orgs/{org}"
    );
}

#[test]
fn group_of_properties_becomes_one_flattened_field() {
    let optional = body(
        r#", "everyone": { "type": "boolean" },
        "only": { "type": "array", "items": { "type": "string" } }"#,
    );
    let code = models::models(&prepared(&optional)).unwrap().to_string();
    assert!(
        code.contains(
            "# [serde (flatten)] pub audience : :: std :: option :: Option < crate :: acme :: Audience >"
        ),
        "{code}"
    );
    assert!(!code.contains("pub everyone") && !code.contains("pub only"));
    assert!(!code.contains("serde :: Deserialize"), "{code}");

    let required = optional.replace(r#"["name"]"#, r#"["everyone", "only", "name"]"#);
    let code = models::models(&prepared(&required)).unwrap().to_string();
    assert!(code.contains("# [serde (flatten)] pub audience : crate :: acme :: Audience"));
    assert!(code.contains("serde :: Deserialize"), "{code}");
    let names: Vec<_> = prepared(&required).requests[0]
        .fields
        .iter()
        .map(|field| field.name.clone())
        .collect();
    assert_eq!(names, ["audience", "name"]);

    let half = body(r#", "everyone": { "type": "boolean" }"#);
    assert_eq!(
        refusal(&half),
        r#"acme.yaml: Change: has some of ["everyone", "only"] and not all"#
    );
}

#[test]
fn required_fields_come_first_in_the_order_of_the_document() {
    let text = body(r#", "a_first_in_the_alphabet": { "type": "string" }"#);
    let names: Vec<_> = prepared(&text).requests[0]
        .fields
        .iter()
        .map(|field| field.name.clone())
        .collect();
    assert_eq!(names, ["name", "a_first_in_the_alphabet"]);
}

#[test]
fn a_broken_document_is_rejected_with_its_name_and_the_cause() {
    let cases = [
        ("openapi: [", "acme.yaml: "),
        ("title: no OpenAPI", "acme.yaml: openapi: is missing"),
        ("openapi: 3.1.0", "acme.yaml: openapi: is 3.1.0"),
        ("openapi: 3.0.3", "acme.yaml: paths: is missing"),
        (
            "openapi: 3.0.3\npaths: { /a: { get: { responses: {} } } }",
            "paths./a.get: has no operationId",
        ),
        (
            "openapi: 3.0.3\npaths: { /a: { get: { operationId: a, responses: {} } } }",
            "a: has no 2xx response",
        ),
        (
            "openapi: 3.0.3\npaths: { /a: { get: { operationId: a, parameters: [{ $ref: '#/x' }] } } }",
            "#/x: isn't in this document",
        ),
        (
            "openapi: 3.0.3\npaths: { /a: { get: { operationId: a, parameters: [{ $ref: 1 }] } } }",
            "$ref: isn't in this document",
        ),
    ];
    for (text, cause) in cases {
        let refusal = refusal(text);
        assert!(refusal.contains(cause), "{refusal}");
        assert!(refusal.starts_with("acme.yaml: "), "{refusal}");
    }
}

#[test]
fn unsupported_schema_is_rejected_with_its_location() {
    let cases = [
        (
            body(r#", "x": { "type": "string", "enum": ["a"] }"#),
            "Change.x: has an enum",
        ),
        (
            body(r#", "x": { "type": "object" }"#),
            "Change.x: has the unsupported type",
        ),
        (
            body(r#", "x": { "type": "string", "pattern": "^a" }"#),
            "Change.x: has a pattern",
        ),
        (
            body(r#", "x": { "type": "number", "multipleOf": 2 }"#),
            "Change.x: has a multipleOf, which isn't checked",
        ),
        (
            body(r#", "x": { "type": "number", "minimum": 0.5 }"#),
            "Change.x: has a minimum, which isn't checked",
        ),
        (
            body(r#", "x": { "type": "array", "items": { "type": "string", "maxLength": 3 } }"#),
            "Change.x: has a maxLength, which isn't checked",
        ),
        (
            document(ANSWER, "").replace(
                r#""Thing": { "type": "object", "properties": {} }"#,
                r##""Thing": { "type": "object", "properties": {
                    "parts": { "type": "array", "items": { "$ref": "#/components/schemas/Thing" } } } }"##,
            ),
            "#/components/schemas/Thing: refers to itself",
        ),
        (
            body(r##", "x": { "$ref": "#/components/schemas/Loop" }"##).replace(
                r#""Unused":"#,
                r##""Loop": { "$ref": "#/components/schemas/Loop" }, "Unused":"##,
            ),
            "#/components/schemas/Loop: refers to itself",
        ),
        (
            document(ANSWER, "").replace(
                r#""Thing": { "type": "object", "properties": {} }"#,
                r#""Thing": { "allOf": [{ "type": "object" }, { "type": "object" }] }"#,
            ),
            "Thing: has an allOf of other than one schema",
        ),
        (
            parameter(r#"{ "name": "x", "in": "header", "schema": { "type": "string" } }"#),
            "change_thing: parameter x: is in header",
        ),
        (
            parameter(r#"{ "name": "x", "in": "query" }"#),
            "change_thing: parameter x: has no schema",
        ),
    ];
    for (text, cause) in cases {
        let refusal = refusal(&text);
        assert!(refusal.contains(cause), "{refusal}");
    }
}

#[test]
fn two_values_with_one_name_in_rust_are_rejected() {
    let text = body(r##", "colour": { "$ref": "#/components/schemas/Colour" }"##)
        .replace("dark-red", "Red");
    assert_eq!(refusal(&text), "Colour: two values would both be named Red");
}
