//! The PostgreSQL of this run: started by the first test that asks, stopped by the kernel when
//! the run ends, its folder removed by the next run.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use mizan::db::private_cluster::{ClusterOptions, PrivateCluster};
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::sync::{mpsc, oneshot};

use super::T0;

const TEMPLATE: &str = "template_mizan";

/// The tenants that every database starts with.
pub(super) const TENANTS: [(i32, &str); 2] = [(1, "Souk"), (2, "Bazaar")];

enum Order {
    Create { name: String, done: oneshot::Sender<()> },
    Drop { name: String },
}

pub(super) struct Server {
    cluster: PrivateCluster,
    made: AtomicU32,
    keeper: mpsc::UnboundedSender<Order>,
}

/// The server; the first call starts it and migrates the template.
pub(super) fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::start)
}

impl Server {
    fn start() -> Server {
        let runs = Path::new(env!("CARGO_TARGET_TMPDIR")).join("it");
        remove_ended_runs(&runs);
        let own = runs.join(std::process::id().to_string());
        // Left by an earlier process of the same number, if it is there.
        let _removed = fs::remove_dir_all(&own);
        let mut options = ClusterOptions::throwaway(own);
        options.settings = [("max_connections", "300"), ("autovacuum", "off")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec();
        let cluster = PrivateCluster::start_or_attach(options).unwrap();
        let (keeper, orders) = mpsc::unbounded_channel();
        let (admin, template) = (cluster.url(), cluster.url_for(TEMPLATE));
        // A thread of its own: a test's runtime ends with the test.
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(keep_databases(&admin, &template, orders));
        });
        Server { cluster, made: AtomicU32::new(0), keeper }
    }

    pub(super) fn url_for(&self, database: &str) -> String {
        self.cluster.url_for(database)
    }

    /// A copy of the template; answers its name.
    pub(super) async fn create(&self) -> String {
        let name = format!("test_{}", self.made.fetch_add(1, Ordering::Relaxed));
        let (done, created) = oneshot::channel();
        self.order(Order::Create { name: name.clone(), done });
        created.await.expect("the template could not be copied; its thread says why above");
        name
    }

    pub(super) fn forget(&self, name: String) {
        self.order(Order::Drop { name });
    }

    fn order(&self, order: Order) {
        // The keeper ends only by a panic, which the waiting test reports.
        let _sent = self.keeper.send(order);
    }
}

/// Folders are named after the process that uses them.
fn remove_ended_runs(runs: &Path) {
    let folders = fs::read_dir(runs).into_iter().flatten().flatten();
    let ended = |folder: &PathBuf| {
        let process = folder.file_name().map(|pid| Path::new("/proc").join(pid));
        process.is_some_and(|process| !process.exists())
    };
    for folder in folders.map(|entry| entry.path()).filter(ended) {
        // Another run may be removing the same one.
        let _removed = fs::remove_dir_all(folder);
    }
}

async fn keep_databases(admin: &str, template: &str, mut orders: mpsc::UnboundedReceiver<Order>) {
    let mut admin = PgConnection::connect(admin).await.unwrap();
    run(&mut admin, format!("create database {TEMPLATE}")).await;
    fill(template).await;
    while let Some(order) = orders.recv().await {
        match order {
            Order::Create { name, done } => {
                run(&mut admin, format!("create database {name} template {TEMPLATE}")).await;
                // A test that was given up does not wait for its database.
                let _waiting = done.send(());
            }
            Order::Drop { name } => {
                run(&mut admin, format!("drop database {name} with (force)")).await;
            }
        }
    }
}

async fn run(admin: &mut PgConnection, statement: String) {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(admin).await.unwrap();
}

/// Read from the folder rather than built in, so that a changed migration needs no rebuild.
pub(super) async fn migrate(owner: &mut PgConnection) {
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    Migrator::new(migrations).await.unwrap().run(owner).await.unwrap();
}

async fn fill(url: &str) {
    let mut owner = PgConnection::connect(url).await.unwrap();
    migrate(&mut owner).await;
    for (tenant, name) in TENANTS {
        sqlx::query("insert into mizan.tenant (tenant_id, name, created_at) values ($1, $2, $3)")
            .bind(tenant)
            .bind(name)
            .bind(T0)
            .execute(&mut owner)
            .await
            .unwrap();
    }
    let months = (T0 - chrono::Months::new(1), T0 + chrono::Months::new(6));
    mizan_ledger::ensure_partitions(&mut owner, months.0, months.1).await.unwrap();
    owner.close().await.unwrap();
}
