//! Where a gateway's deliveries end up: the raw bytes with their headers.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use mizan_providers::Headers;
use tokio::net::TcpListener;

/// One delivery as it came.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub headers: Headers,
    pub body: Vec<u8>,
}

/// A listener that keeps everything.
#[derive(Clone)]
pub struct Sink {
    pub url: String,
    kept: Arc<Mutex<Vec<Delivery>>>,
}

impl Sink {
    pub async fn open() -> Self {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let app = Router::new().fallback(keep).with_state(Arc::clone(&kept));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, kept }
    }

    pub fn take(&self) -> Vec<Delivery> {
        std::mem::take(&mut *self.kept.lock().unwrap())
    }
}

async fn keep(
    State(kept): State<Arc<Mutex<Vec<Delivery>>>>,
    headers: HeaderMap,
    body: Bytes,
) -> &'static str {
    let pairs = headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
    let delivery = Delivery { headers: pairs.collect(), body: body.to_vec() };
    kept.lock().unwrap().push(delivery);
    "OK"
}
