mod access;
mod deliveries;
mod faults;
mod hostile;
mod lists;
mod retries;
mod validation;
mod webhooks;

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use webhook_sdk::testing::{PreoFake, PreoWebhookSeed};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

/// A plain HTTP caller of a fake, with its token.
struct Caller {
    client: Client,
    base_url: String,
    token: String,
}

impl Caller {
    fn of(preo: &PreoFake) -> Self {
        Self {
            client: Client::builder().no_proxy().build().unwrap(),
            base_url: preo.base_url().to_owned(),
            token: preo.token().to_owned(),
        }
    }

    /// A request for `path` under `/v1/webhooks`.
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/v1/webhooks{path}", self.base_url);
        self.client.request(method, url).bearer_auth(&self.token)
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        answer(self.request(Method::GET, path)).await
    }

    async fn post(&self, path: &str) -> (u16, Value) {
        answer(self.request(Method::POST, path)).await
    }

    async fn create(&self, body: &Value) -> (u16, Value) {
        answer(self.request(Method::POST, "").json(body)).await
    }

    async fn update(&self, id: &str, body: &Value) -> (u16, Value) {
        answer(self.request(Method::PATCH, &format!("/{id}")).json(body)).await
    }

    async fn delete(&self, id: &str) -> Response {
        let request = self.request(Method::DELETE, &format!("/{id}"));
        request.send().await.unwrap()
    }

    /// One field of each item of a list.
    async fn list(&self, path: &str, field: &str) -> Vec<String> {
        let (status, body) = self.get(path).await;
        assert_eq!(status, 200, "{body}");
        let items = body["results"].as_array().unwrap();
        let field = |item: &Value| item[field].as_str().unwrap().to_owned();
        items.iter().map(field).collect()
    }
}

async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.json().await.unwrap())
}

/// A receiver that gives this answer to everything.
async fn receiver(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

async fn accepting() -> MockServer {
    receiver(ResponseTemplate::new(StatusCode::NO_CONTENT)).await
}

async fn failing() -> MockServer {
    receiver(ResponseTemplate::new(StatusCode::SERVICE_UNAVAILABLE)).await
}

/// An endpoint at `receiver` that is subscribed to `purchase.action`.
fn seed(receiver: &MockServer) -> PreoWebhookSeed {
    PreoWebhookSeed::new(receiver.uri()).events(["purchase.action"])
}

fn valid_body() -> Value {
    json!({
        "organization_id": "org_1",
        "name": "Shop",
        "url": "https://shop.example/preo",
        "events": ["purchase.action", "consent.given"],
    })
}
