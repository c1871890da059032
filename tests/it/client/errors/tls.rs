//! A server whose certificate isn't trusted, with both TLS libraries.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, mpsc};
use std::thread;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};
use webhook_sdk::ErrorKind;
use webhook_sdk::reqwest::{Certificate, Client, ClientBuilder};

use crate::support::preo;

/// Self-signed for `localhost`, valid until 2126. `openssl req -x509` made it with its key.
const CERTIFICATE: &[u8] = include_bytes!("../../../data/tls/self-signed.der");
const KEY: &[u8] = include_bytes!("../../../data/tls/self-signed.key.der");

/// Answers each request with 204, and reports whether each connection brought one.
fn server() -> (String, mpsc::Receiver<bool>) {
    let key = PrivateKeyDer::try_from(KEY).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(CERTIFICATE)], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!(
        "https://localhost:{}",
        listener.local_addr().unwrap().port()
    );
    let (report, reports) = mpsc::channel();
    thread::spawn(move || {
        for socket in listener.incoming() {
            let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut socket = socket.unwrap();
            let mut stream = Stream::new(&mut connection, &mut socket);
            let read = stream.read(&mut [0; 4096]).is_ok_and(|length| length > 0);
            if read {
                let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
                stream.write_all(answer).unwrap();
            }
            if report.send(read).is_err() {
                break;
            }
        }
    });
    (base_url, reports)
}

async fn check(backend: fn(ClientBuilder) -> ClientBuilder) {
    let (base_url, connections) = server();
    let preo_with = |http| preo(&base_url).http(backend(http)).build().unwrap();

    let untrusting = preo_with(Client::builder());
    let error = untrusting.delete_webhook("wh_1").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error:?}");
    assert!(error.is_tls() && error.is_connect() && !error.is_retryable());
    assert_eq!(
        (error.attempts(), error.may_have_been_applied()),
        (1, false)
    );
    let shown = error.to_string();
    assert!(
        shown.contains("check the base URL and the server's certificate"),
        "{shown}"
    );
    assert_eq!(connections.recv(), Ok(false));

    let certificate = Certificate::from_der(CERTIFICATE).unwrap();
    let trusting = preo_with(Client::builder().tls_certs_merge([certificate]));
    trusting.delete_webhook("wh_1").send().await.unwrap();
    assert_eq!(connections.recv(), Ok(true));
}

#[tokio::test]
async fn untrusted_certificate_is_a_tls_error_of_rustls() {
    check(ClientBuilder::tls_backend_rustls).await;
}

#[tokio::test]
async fn untrusted_certificate_is_a_tls_error_of_native_tls() {
    check(ClientBuilder::tls_backend_native).await;
}
