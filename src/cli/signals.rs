//! Being told to end: Ctrl-C, or a polite signal from whoever supervises the process.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listens for the signals that end a process. From its making on they no longer kill it.
pub struct Ending {
    interrupt: Signal,
    terminate: Signal,
}

impl Ending {
    /// Starts listening.
    pub fn listen() -> io::Result<Self> {
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the first of them.
    pub async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
