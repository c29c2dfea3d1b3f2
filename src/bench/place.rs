//! Where it is measured: databases of one private server, made for one measurement each.

use std::path::{Path, PathBuf};

use mizan::app::App;
use mizan::clock::Clock;
use mizan::config::Config;
use mizan::db::Db;
use mizan::db::private_cluster::PrivateCluster;
use mizan::verify::{Proof, prove};
use mizan_ledger::verify::Mode;
use sqlx::PgConnection;

use super::store;
use crate::cli::audit::verify as laws;
use crate::cli::end::Failure;
use crate::cli::service;

/// The server, and a folder for what is written beside it.
pub struct Place<'a> {
    cluster: &'a PrivateCluster,
    folder: PathBuf,
}

/// A database with the books in it, as a service finds them.
pub struct Books {
    name: String,
    /// The address as its owner.
    pub url: String,
    /// The service on it, in this process.
    pub app: App,
    owner: PgConnection,
}

impl<'a> Place<'a> {
    /// A running server, and a folder that exists.
    pub fn new(cluster: &'a PrivateCluster, folder: &Path) -> Self {
        Self { cluster, folder: folder.to_owned() }
    }

    /// The folder for files of this run.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The address of a database of this server.
    pub fn url(&self, database: &str) -> String {
        self.cluster.url_for(database)
    }

    /// A connection as the server's superuser.
    pub async fn owner(&self) -> Result<PgConnection, Failure> {
        Ok(store::connect(&self.cluster.url()).await?)
    }

    /// A new database, without anything in it.
    pub async fn empty(&self, name: &str) -> Result<String, Failure> {
        let mut owner = self.owner().await?;
        store::drop_database(&mut owner, name).await?;
        store::create_database(&mut owner, name).await?;
        Ok(self.url(name))
    }

    /// A new database with the books, and the service on it with its default settings, but
    /// with room for so many connections at least.
    pub async fn books(&self, name: &str, connections: u32) -> Result<Books, Failure> {
        let url = self.empty(name).await?;
        // What the environment says is meant for the real service.
        let mut config = Config::from_parts(None, [])?;
        config.database.connections_max = config.database.connections_max.max(connections);
        let app = service::prepare(&url, config, Clock::system()).await?;
        let owner = store::connect(&url).await?;
        Ok(Books { name: name.to_owned(), url, app, owner })
    }

    /// Proves the books and removes their database.
    pub async fn finish(&self, books: Books) -> Result<(), Failure> {
        expect_whole(&books.name, &books.app.db, &books.app.clock).await?;
        books.app.db.close().await;
        drop(books.owner);
        Ok(store::drop_database(&mut self.owner().await?, &books.name).await?)
    }
}

impl Books {
    /// A connection as the owner.
    pub fn owner(&mut self) -> &mut PgConnection {
        &mut self.owner
    }
}

/// A measurement of books that are wrong is none.
async fn expect_whole(name: &str, db: &Db, clock: &Clock) -> Result<(), Failure> {
    let proved = prove(db, clock, Mode::Full).await?;
    if proved.iter().all(Proof::holds) {
        return Ok(());
    }
    Err(format!("the books of `{name}` are wrong:\n{}", laws::lines(&proved)).into())
}
