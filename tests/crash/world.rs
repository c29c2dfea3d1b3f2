//! Everything that runs: a durable PostgreSQL, the service, the gateway, and the lines between.
//!
//! Time is the machine's, so many seconds ahead. It goes on only when service and gateway are
//! killed and started again: what is due in an hour is due when they are back.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use mizan::clock::{Clock, Monotonic};
use mizan::db::private_cluster::{ClusterOptions, PrivateCluster};
use mizan_money::Timestamp;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;
use tokio::time::{Interval, MissedTickBehavior};

use super::caller::Caller;
use super::process::{Number, Process, Program, free_port, kill, processes_in};
use super::wire::Wire;

const GATEWAY_KEY: &str = "sk_test_of_the_campaign";
/// What the gateway signs its webhooks with.
pub const WEBHOOK_SECRET: &str = "whsec_of_the_campaign";
/// Longer than a call may be at work, so that whatever was sent may be taken up again.
pub const A_MINUTE: u32 = 61;
/// When nobody was answered for so long, they wait for something that is due later.
const STUCK_AFTER: Duration = Duration::from_millis(2_500);
/// When the next operation without an outcome is asked about.
const NEXT_CHECK: &str = "select min(next_check_at) from payments.operation";
/// Everything is back after this long, on a slow machine as well.
const BACK_WITHIN: Duration = Duration::from_secs(120);

/// Everything that runs.
pub struct World {
    pub caller: Arc<Caller>,
    /// The line between service and database.
    pub database: Wire,
    /// The line between service and gateway.
    pub gateway: Wire,
    pub program: Program,
    // Dropped in this order: first those who would miss the database.
    roles: Mutex<Roles>,
    cluster: PrivateCluster,
    dir: TempDir,
    ahead: AtomicU32,
    ports: Ports,
}

struct Roles {
    service: Process,
    simulator: Process,
}

#[derive(Clone, Copy)]
struct Ports {
    service: u16,
    simulator: u16,
    gateway: u16,
}

/// A pace for questions that are asked until the answer is the right one.
pub fn pace() -> Interval {
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pace
}

/// A durable PostgreSQL below `dir`. It blocks, and belongs before the runtime.
pub fn cluster(dir: &Path, settings: &[(&str, &str)]) -> PrivateCluster {
    let mut options = ClusterOptions::new(dir);
    let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    options.settings = settings.collect();
    PrivateCluster::start_or_attach(options).unwrap()
}

impl World {
    /// Starts everything on an empty database.
    pub async fn begin(cluster: PrivateCluster) -> World {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("wire");
        fs::create_dir(&socket).unwrap();
        let door = fs::read_to_string(cluster.data_dir().join("pg/postmaster.pid")).unwrap();
        let door = Path::new(door.lines().nth(4).unwrap()).join(".s.PGSQL.5432");
        let database = Wire::to_postgres(&socket.join(".s.PGSQL.5432"), door);
        let (service, simulator) = (free_port(), free_port());
        let loopback = std::net::Ipv4Addr::LOCALHOST;
        let (gateway, at) = Wire::to_gateway((loopback, simulator).into()).await;
        let ports = Ports { service, simulator, gateway: at.port() };
        let program = Program::copied_into(dir.path());
        let roles = Roles { service: Process::nobody(), simulator: Process::nobody() };
        let (service, simulator) = (url(service), url(simulator));
        let mut world = World {
            caller: Arc::new(Caller::new(service.clone(), simulator.clone(), String::new())),
            database,
            gateway,
            program,
            cluster,
            dir,
            roles: Mutex::new(roles),
            ahead: AtomicU32::new(0),
            ports,
        };
        world.look_after();
        world.back().await;
        let args = ["keys", "create", "--name", "campaign", "--json"];
        let (code, said, why) = world.program.run(&args, &world.cluster.url());
        assert_eq!(code, Some(0), "{why}");
        let made: serde_json::Value = serde_json::from_str(&said).unwrap();
        let key = made["key"].as_str().unwrap().to_owned();
        world.caller = Arc::new(Caller::new(service, simulator, key));
        world
    }

    /// The time of service and gateway.
    pub fn now(&self) -> Timestamp {
        Clock::system_ahead(self.ahead.load(Ordering::SeqCst)).now()
    }

    /// The address of the database, past the line.
    pub fn database_url(&self) -> String {
        self.cluster.url()
    }

    /// Makes a database beside that of the service; answers its address.
    pub async fn empty_database(&self, name: &str) -> String {
        let make = AssertSqlSafe(format!("create database {name}"));
        sqlx::raw_sql(make).execute(&mut self.owner().await).await.unwrap();
        self.cluster.url_for(name)
    }

    /// A connection with the owner's rights, past the line; waits until the server answers.
    pub async fn owner(&self) -> PgConnection {
        let (watch, mut pace) = (Monotonic::start(), pace());
        loop {
            pace.tick().await;
            match PgConnection::connect(&self.cluster.url()).await {
                Ok(owner) => return owner,
                Err(error) => assert!(watch.elapsed() < BACK_WITHIN, "{error}\n{}", self.logs()),
            }
        }
    }

    /// How to kill the service and the simulator.
    pub fn numbers(&self) -> (Number, Number) {
        let roles = self.roles.lock().unwrap();
        (roles.service.number(), roles.simulator.number())
    }

    /// Kills the PostgreSQL with everything that belongs to it; whoever keeps it starts it again.
    pub fn kill_database(&self) {
        processes_in(self.cluster.data_dir()).into_iter().for_each(kill);
    }

    /// Lets so many seconds pass: both are killed, and are told the later time when they start.
    pub fn pass(&self, seconds: u32) {
        let mut roles = self.roles.lock().unwrap();
        roles.service.kill();
        roles.simulator.kill();
        self.ahead.fetch_add(seconds, Ordering::SeqCst);
        drop(roles);
        self.look_after();
    }

    /// Starts again whoever ended, as a supervisor does.
    pub fn look_after(&self) {
        let ahead = self.ahead.load(Ordering::SeqCst);
        let mut roles = self.roles.lock().unwrap();
        if roles.simulator.is_missing() {
            self.start_simulator(&mut roles.simulator, ahead);
        }
        if roles.service.is_missing() {
            self.start_service(&mut roles.service, ahead);
        }
    }

    /// Lets time pass whenever everybody waits for what is due later, and only as much as that:
    /// on a slow machine they may be about to move, and a gateway forgets its keys after a day.
    async fn let_time_pass(&self) {
        let mut pace = pace();
        let (mut answered, mut since) = (0, Monotonic::start());
        loop {
            pace.tick().await;
            let now = self.caller.counts.answered();
            if now != answered {
                (answered, since) = (now, Monotonic::start());
            }
            if since.elapsed() < STUCK_AFTER {
                continue;
            }
            let due: Result<Option<Timestamp>, sqlx::Error> =
                sqlx::query_scalar(NEXT_CHECK).fetch_one(&mut self.owner().await).await;
            // A database that is away has to come back first.
            if let Ok(Some(due)) = due
                && due > self.now()
            {
                self.pass_until(due);
            }
            since = Monotonic::start();
        }
    }

    fn start_simulator(&self, role: &mut Process, ahead: u32) {
        let (ahead, data) = (ahead.to_string(), self.dir.path().join("gateway"));
        let (listen, hook) = (format!("127.0.0.1:{}", self.ports.simulator), self.webhook_url());
        let data = data.to_str().unwrap();
        let pairs = [
            ("--listen", listen.as_str()),
            ("--webhook-url", hook.as_str()),
            ("--data", data),
            ("--secret-key", GATEWAY_KEY),
            ("--webhook-secret", WEBHOOK_SECRET),
            ("--clock-ahead", ahead.as_str()),
        ];
        let mut args = vec!["simulate"];
        args.extend(pairs.iter().flat_map(|(name, value)| [*name, *value]));
        role.start(self.program.command(&args), &self.log("simulator"));
    }

    fn start_service(&self, role: &mut Process, ahead: u32) {
        let mut command = self.program.command(&["serve", "--clock-ahead", &ahead.to_string()]);
        let socket = self.dir.path().join("wire").to_str().unwrap().replace('/', "%2F");
        command.envs([
            ("DATABASE_URL", format!("postgres://mizan@{socket}:5432/mizan")),
            ("MIZAN_DATABASE_ACQUIRE_MS_MAX", "1000".to_owned()),
            ("MIZAN_HTTP_LISTEN", format!("127.0.0.1:{}", self.ports.service)),
            ("MIZAN_HTTP_KEY_REQUESTS_PER_MINUTE", "0".to_owned()),
            ("MIZAN_STRIPE_BASE_URL", url(self.ports.gateway)),
            ("MIZAN_STRIPE_SECRET_KEY", GATEWAY_KEY.to_owned()),
            ("MIZAN_STRIPE_WEBHOOK_SECRETS", WEBHOOK_SECRET.to_owned()),
            ("MIZAN_GATEWAYS_REQUEST_SECONDS_MAX", "10".to_owned()),
            ("MIZAN_LOG_FILTER", "warn".to_owned()),
            ("MIZAN_LOG_FORMAT", "human".to_owned()),
        ]);
        role.start(command, &self.log("service"));
    }

    fn webhook_url(&self) -> String {
        format!("{}/webhooks/stripe/main", url(self.ports.service))
    }

    /// Waits until service and gateway can do their work.
    pub async fn back(&self) {
        let (watch, mut pace) = (Monotonic::start(), pace());
        while !self.caller.is_ready().await {
            pace.tick().await;
            self.look_after();
            assert!(watch.elapsed() < BACK_WITHIN, "nobody came back\n{}", self.logs());
        }
    }

    /// Does the work, and looks after everything until it is done.
    pub async fn while_looking_after<T>(&self, work: impl Future<Output = T>) -> T {
        let (mut work, mut pace) = (std::pin::pin!(work), pace());
        let mut passing = std::pin::pin!(self.let_time_pass());
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = &mut passing => {}
                _ = pace.tick() => self.look_after(),
            }
        }
    }

    fn log(&self, name: &str) -> PathBuf {
        self.dir.path().join(format!("{name}.log"))
    }

    /// The ends of all logs.
    pub fn logs(&self) -> String {
        let mut text = String::new();
        let server = self.cluster.data_dir().join("server.log");
        for log in [self.log("service"), self.log("simulator"), server] {
            let said = fs::read_to_string(&log).unwrap_or_default();
            let lines: Vec<&str> = said.lines().rev().take(40).collect();
            text.push_str(&format!("--- {}\n", log.display()));
            lines.iter().rev().for_each(|line| text.push_str(&format!("{line}\n")));
        }
        text
    }

    /// What the service said of failures that it has no name for.
    pub fn failures(&self) -> Vec<String> {
        let said = fs::read_to_string(self.log("service")).unwrap_or_default();
        let failures = said.lines().filter(|line| line.contains("ERROR"));
        failures.take(20).map(ToOwned::to_owned).collect()
    }

    /// Lets the time pass that it is until then, and a second.
    pub fn pass_until(&self, moment: Timestamp) {
        let wait = (moment - self.now()).max(TimeDelta::zero()).num_seconds() + 1;
        self.pass(u32::try_from(wait).unwrap());
    }
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}
