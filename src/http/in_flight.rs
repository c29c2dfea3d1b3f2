//! Bounds on the requests that are at work: how many, how long, and until when at the end.
//!
//! Each request runs in a task of its own, so a client that hangs up does not stop a payment
//! half-way, and a handler that panics takes nothing else down.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tracing::Instrument;

use super::{Code, Problem};
use crate::app::App;

/// Counts the requests that are at work. Clones count together.
#[derive(Clone, Debug)]
pub struct InFlight {
    places: Arc<Semaphore>,
    limit: u32,
}

impl InFlight {
    /// Room for `limit` requests at once.
    #[must_use]
    pub fn new(limit: u32) -> Self {
        Self { places: Arc::new(Semaphore::new(limit as usize)), limit }
    }

    /// Waits, at most `limit`, until no request is at work, and then lets none in. Returns
    /// whether all came to their end.
    pub async fn drain(&self, limit: Duration) -> bool {
        let all = timeout(limit, self.places.acquire_many(self.limit)).await;
        self.places.close();
        matches!(all, Ok(Ok(_)))
    }

    fn enter(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }
}

/// Runs the request in a task of its own within the bounds of number and time.
pub(super) async fn run(State(app): State<App>, request: Request, next: Next) -> Response {
    let Some(place) = app.requests.enter() else {
        return Problem::new(Code::Overloaded, "Too many requests are being answered right now.")
            .retry_after(2)
            .into_response();
    };
    let task = tokio::spawn(
        async move {
            let response = next.run(request).await;
            drop(place);
            response
        }
        .in_current_span(),
    );
    let seconds = app.config.http.request_seconds_max;
    match timeout(Duration::from_secs(seconds), task).await {
        Ok(Ok(response)) => response,
        // What the panic said was logged by the panic hook; it is not for the caller.
        Ok(Err(_)) => Problem::new(Code::Internal, "The cause was logged under this request's id.")
            .into_response(),
        Err(_) => Problem::new(
            Code::TimedOut,
            format!("There was no answer within {seconds} s. The work may still be completed."),
        )
        .retry_after(2)
        .into_response(),
    }
}
