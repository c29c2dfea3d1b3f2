//! Which database a command works on: the one that is named, else the private one.

use std::path::{Path, PathBuf};

use mizan::config::Config;
use mizan::db::private_cluster::{ClusterOptions, PrivateCluster};
use mizan::db::{Db, SchemaState};
use secrecy::ExposeSecret;
use tokio::runtime::{Builder, Runtime};

use super::end::{CommandResult, Failure};

/// Where the settings and the data are.
#[derive(Clone, Debug, clap::Args)]
pub struct Place {
    /// A file with settings; config.default.toml lists all
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The folder of the private PostgreSQL, which is used when neither DATABASE_URL nor the
    /// settings name a database
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub data: PathBuf,
}

/// What to do where there is no private database yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Absent {
    /// Make one.
    Make,
    /// Refuse: there is nothing to read.
    Refuse,
}

/// A database that answers, and the settings that named it.
pub struct Opened {
    /// The settings.
    pub config: Config,
    /// The address as the owner of the schema.
    pub url: String,
    cluster: Option<PrivateCluster>,
}

/// The private cluster's own folder inside a data folder.
pub fn cluster_dir(data: &Path) -> PathBuf {
    data.join("postgres")
}

impl Place {
    /// Finds the database; starts or attaches to the private one where none is named. To be
    /// called outside the async runtime.
    pub fn open(&self, absent: Absent) -> Result<Opened, Failure> {
        let config = Config::load(self.config.as_deref())?;
        if let Some(url) = &config.database.url {
            let url = url.expose_secret().to_owned();
            return Ok(Opened { config, url, cluster: None });
        }
        let dir = cluster_dir(&self.data);
        if absent == Absent::Refuse && !dir.join("pg").join("PG_VERSION").is_file() {
            return Err(format!(
                "there is no database in {}: start `mizan serve` first, point --data at another \
                 folder, or set DATABASE_URL",
                self.data.display()
            )
            .into());
        }
        let cluster = PrivateCluster::start_or_attach(ClusterOptions::new(dir))?;
        Ok(Opened { config, url: cluster.url(), cluster: Some(cluster) })
    }

    /// Opens a database that must be there, runs `read` on it as the limited role, and leaves
    /// everything as it was.
    pub fn read<F, R>(&self, read: R) -> CommandResult
    where
        R: FnOnce(Db) -> F,
        F: Future<Output = CommandResult>,
    {
        let opened = self.open(Absent::Refuse)?;
        let result = runtime()?.block_on(async {
            let db = opened.connect().await?;
            let result = read(db.clone()).await;
            db.close().await;
            result
        });
        let closed = opened.close();
        let end = result?;
        closed?;
        Ok(end)
    }
}

impl Opened {
    /// Connects as the limited role to a schema of this program's version.
    pub async fn connect(&self) -> Result<Db, Failure> {
        let db = Db::connect(&self.url, &self.config.db_options()).await?;
        match db.schema_state().await? {
            SchemaState::Current => Ok(db),
            SchemaState::Behind => Err("the schema is behind: run `mizan migrate`".into()),
            SchemaState::Ahead => Err("the schema belongs to a newer program: use that".into()),
        }
    }

    /// Stops the private PostgreSQL if this process started it.
    pub fn close(self) -> Result<(), Failure> {
        match self.cluster {
            Some(cluster) => Ok(cluster.stop()?),
            None => Ok(()),
        }
    }
}

/// The async runtime of a command.
pub fn runtime() -> Result<Runtime, Failure> {
    Ok(Builder::new_multi_thread().enable_all().build()?)
}
