//! A tap on the way to the database: it counts the statements that go through.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

/// Counts every statement that is executed through it, by either protocol of PostgreSQL.
pub struct Tap {
    /// The database's address, through the tap.
    pub url: String,
    statements: Arc<AtomicUsize>,
    task: JoinHandle<()>,
    _folder: tempfile::TempDir,
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Tap {
    /// A tap before the server whose socket `url` names.
    pub fn on(url: &str) -> Tap {
        let parsed = reqwest::Url::parse(url).unwrap();
        let host = parsed.host_str().unwrap();
        let real = form_urlencoded::parse(host.as_bytes()).next().unwrap().0.into_owned();
        let folder = tempfile::Builder::new().prefix("mzt").tempdir().unwrap();
        let name = socket_in(Path::new(&real));
        let listener = UnixListener::bind(folder.path().join(name.file_name().unwrap())).unwrap();
        let ours = folder.path().to_str().unwrap().replace('/', "%2F");
        let statements = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&statements);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(relay(client, name.clone(), Arc::clone(&count)));
            }
        });
        let url = url.replacen(host, &ours, 1);
        Tap { url, statements, task, _folder: folder }
    }

    /// How many statements were executed since the last time somebody asked.
    pub fn taken(&self) -> usize {
        self.statements.swap(0, Ordering::SeqCst)
    }
}

fn socket_in(folder: &Path) -> PathBuf {
    let mut names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_socket = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with(".s.PGSQL.") && !name.ends_with(".lock")
    };
    names.find(is_socket).unwrap()
}

async fn relay(client: UnixStream, server: PathBuf, statements: Arc<AtomicUsize>) {
    let Ok(server) = UnixStream::connect(server).await else { return };
    let (from_client, mut to_client) = client.into_split();
    let (mut from_server, to_server) = server.into_split();
    tokio::select! {
        _ = count(from_client, to_server, &statements) => {}
        _ = tokio::io::copy(&mut from_server, &mut to_client) => {}
    }
}

/// What a client says before anything else, to ask whether the line can be encrypted.
const ENCRYPTED: [u8; 4] = 80_877_103_u32.to_be_bytes();

/// Carries a client's messages, of which the first have no letter.
async fn count(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    statements: &AtomicUsize,
) -> std::io::Result<()> {
    let mut greeted = false;
    loop {
        if greeted {
            let letter = from.read_u8().await?;
            // Execute and simple query.
            if letter == b'E' || letter == b'Q' {
                statements.fetch_add(1, Ordering::SeqCst);
            }
            to.write_u8(letter).await?;
        }
        let length = from.read_u32().await?;
        let mut body = vec![0; length as usize - 4];
        from.read_exact(&mut body).await?;
        greeted = greeted || body != ENCRYPTED;
        to.write_u32(length).await?;
        to.write_all(&body).await?;
    }
}
