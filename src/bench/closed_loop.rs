//! Callers that wait for each answer before they ask again, and what they measure.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mizan::clock::Monotonic;
use tokio::task::JoinSet;

use super::samples::{Pace, Samples};
use crate::cli::end::Failure;

/// Somebody who asks again and again.
pub trait Caller: Send + 'static {
    /// Asks once and says how long it took; `None` when there is nothing left to ask.
    ///
    /// # Errors
    /// The answer is not the expected one: a measurement of failures is none.
    fn call(&mut self) -> impl Future<Output = Result<Option<Duration>, Failure>> + Send;
}

/// From when until when calls count.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    warm_up: Duration,
    length: Duration,
}

impl Window {
    /// Counts for `length` after a warm-up of a fifth of it, at most two seconds.
    pub fn of(length: Duration) -> Self {
        Self { warm_up: (length / 5).min(Duration::from_secs(2)), length }
    }

    /// Counts from the first call on, until everything is done.
    pub const fn until_done() -> Self {
        Self { warm_up: Duration::ZERO, length: Duration::MAX }
    }

    /// How long the warm-up is.
    pub const fn warm_up(self) -> Duration {
        self.warm_up
    }

    fn end(self) -> Duration {
        self.warm_up.saturating_add(self.length)
    }
}

/// What a closed loop came to.
pub struct Measured {
    /// The figures of the calls that count.
    pub pace: Pace,
    /// Every call that was answered, the warm-up included.
    pub calls: usize,
}

/// Runs all callers until the window closes or they have nothing left to ask.
///
/// # Errors
/// The first failure of a caller, or no call at all.
pub async fn closed_loop<C: Caller>(callers: Vec<C>, window: Window) -> Result<Measured, Failure> {
    let noted = Arc::new(Mutex::new(Noted::default()));
    let watch = Monotonic::start();
    let mut tasks = JoinSet::new();
    for caller in callers {
        tasks.spawn(ask_on(caller, window, watch, Arc::clone(&noted)));
    }
    let mut last = Duration::ZERO;
    while let Some(ended) = tasks.join_next().await {
        last = last.max(ended??);
    }
    let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
    let Noted { counted, outside } = std::mem::take(&mut *noted);
    let calls = counted.count() + outside.count();
    // Where no answer came within the window, the calls were longer than it: then all count.
    let pace = match counted.pace(last.min(window.end()).saturating_sub(window.warm_up)) {
        Some(pace) => Some(pace),
        None => outside.pace(last),
    };
    Ok(Measured { pace: pace.ok_or("no call was answered")?, calls })
}

/// The calls of all callers.
#[derive(Default)]
struct Noted {
    /// Answered within the window.
    counted: Samples,
    /// Answered before or after it.
    outside: Samples,
}

/// One caller's life; answers when its last call was answered.
async fn ask_on<C: Caller>(
    mut caller: C,
    window: Window,
    watch: Monotonic,
    noted: Arc<Mutex<Noted>>,
) -> Result<Duration, Failure> {
    let mut last = Duration::ZERO;
    while watch.elapsed() < window.end() {
        let Some(took) = caller.call().await? else { break };
        last = watch.elapsed();
        let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
        match (window.warm_up..=window.end()).contains(&last) {
            true => noted.counted.add(took),
            false => noted.outside.add(took),
        }
    }
    Ok(last)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    struct Countdown(usize);

    impl Caller for Countdown {
        async fn call(&mut self) -> Result<Option<Duration>, Failure> {
            self.0 = self.0.saturating_sub(1);
            Ok((self.0 > 0).then_some(Duration::from_millis(7)))
        }
    }

    #[tokio::test]
    async fn callers_that_run_out_end_the_loop_and_all_their_calls_count() {
        let callers = (0..3).map(|_| Countdown(11)).collect();
        let measured = closed_loop(callers, Window::until_done()).await.unwrap();
        assert_eq!((measured.calls, measured.pace.p50_ms), (30, 7.0));
    }

    #[tokio::test]
    async fn a_loop_without_an_answer_is_a_failure_and_no_rate() {
        let nobody = vec![Countdown(0)];
        assert!(closed_loop(nobody, Window::until_done()).await.is_err());
    }
}
