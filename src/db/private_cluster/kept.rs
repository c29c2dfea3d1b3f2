//! A server that is kept running: started, started again when it dies, and ended.

use std::path::PathBuf;
use std::process::Child;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::binaries::Binaries;
use super::error::ClusterError;
use super::identity::Identity;
use super::layout::Layout;
use super::{ClusterOptions, server, settle};

/// The server of a folder whose lock we hold.
#[derive(Debug)]
pub(super) struct KeptServer {
    options: ClusterOptions,
    layout: Layout,
    binaries: Binaries,
    identity: Identity,
    socket_dir: PathBuf,
    /// None once it was told to end: from then on it is not started again.
    child: Mutex<Option<Child>>,
}

impl KeptServer {
    /// Starts it and returns when `SELECT 1` is answered.
    ///
    /// # Errors
    /// [`ClusterError::NotReady`] with the end of the log.
    pub(super) fn start(
        options: ClusterOptions,
        layout: Layout,
        (binaries, identity): (Binaries, Identity),
        socket_dir: PathBuf,
    ) -> Result<Self, ClusterError> {
        let child = server::start(&options, &layout, &binaries, &identity, &socket_dir)?;
        let child = Mutex::new(Some(child));
        Ok(Self { options, layout, binaries, identity, socket_dir, child })
    }

    fn child(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts it again if it died by itself: what was committed is there, and whoever lost a
    /// connection finds the same address. To be called from the thread that started it.
    pub(super) fn revive(&self) {
        let mut child = self.child();
        let Some(Ok(Some(status))) = child.as_mut().map(Child::try_wait) else { return };
        tracing::error!(%status, "private PostgreSQL ended by itself and is started again");
        match self.start_again() {
            Ok(again) => *child = Some(again),
            Err(error) => tracing::error!(%error, "private PostgreSQL could not be started again"),
        }
    }

    fn start_again(&self) -> Result<Child, ClusterError> {
        // Processes of the dead server notice its end and leave; until then the folder is theirs.
        settle(&self.options, &self.layout)?;
        let Self { options, layout, binaries, identity, socket_dir, .. } = self;
        server::start(options, layout, binaries, identity, socket_dir)
    }

    /// Ends it for good.
    ///
    /// # Errors
    /// [`ClusterError::Killed`] when it took force.
    pub(super) fn end(&self) -> Result<(), ClusterError> {
        match self.child().take() {
            Some(mut child) => server::end(&mut child, self.layout.root()),
            None => Ok(()),
        }
    }
}
