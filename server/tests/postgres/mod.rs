//! A throw-away PostgreSQL: one cluster for each test program, one database for each test.
//!
//! It listens on a socket in a folder of its own, and ends with the program that started it, however
//! that ends.

#![allow(dead_code, reason = "every test uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::runtime::Handle;

/// A new, empty database.
pub(crate) struct Database {
    name: String,
}

impl Database {
    pub(crate) async fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let cluster = tokio::task::spawn_blocking(Cluster::get).await.unwrap();
        let name = format!("calls_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut admin = PgConnection::connect(&cluster.url("postgres", "postgres")).await.unwrap();
        let create = format!("CREATE DATABASE {name} OWNER offhook_owner");
        admin.execute(sqlx::AssertSqlSafe(create)).await.unwrap();
        admin.close().await.unwrap();
        Self { name }
    }

    /// Ends the cluster as a crash does.
    pub(crate) async fn crash() {
        let cluster = Cluster::get();
        let pid = fs::read_to_string(cluster.folder.join("data/postmaster.pid")).unwrap();
        let pid = pid.lines().next().unwrap();
        let killed = Command::new("kill").args(["-QUIT", pid]).status().unwrap();
        assert!(killed.success());
        let url = cluster.url("postgres", "postgres");
        while PgConnection::connect(&url).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Starts the cluster again.
    pub(crate) async fn recover() {
        let cluster = Cluster::get();
        cluster.run();
        cluster.connect().await;
    }

    /// Makes the cluster read-only, for connections that are there too, or lets it take changes again.
    pub(crate) async fn read_only(is_on: bool) {
        let mut admin =
            PgConnection::connect(&Cluster::get().url("postgres", "postgres")).await.unwrap();
        let setting = if is_on {
            "ALTER SYSTEM SET default_transaction_read_only = on"
        } else {
            "ALTER SYSTEM RESET default_transaction_read_only"
        };
        admin.execute(setting).await.unwrap();
        admin.execute("SELECT pg_reload_conf()").await.unwrap();
    }

    /// Its address for a role: `offhook` runs servers, `offhook_owner` owns, `postgres` may all.
    pub(crate) fn url(&self, role: &str) -> String {
        Cluster::get().url(&self.name, role)
    }
}

struct Cluster {
    folder: PathBuf,
}

impl Cluster {
    fn get() -> &'static Self {
        static CLUSTER: OnceLock<Cluster> = OnceLock::new();
        CLUSTER.get_or_init(Self::start)
    }

    fn url(&self, database: &str, role: &str) -> String {
        let folder = self.folder.display();
        format!("postgres:///{database}?host={folder}&user={role}&sslmode=disable")
    }

    fn start() -> Self {
        let programs = programs();
        let folder = tempfile::tempdir().unwrap().keep();
        let user = User::find();
        if let Some(user) = &user {
            chown(&folder, Some(user.id), Some(user.group)).unwrap();
        }
        fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
        let data = folder.join("data");
        let mut initdb = command(user.as_ref(), &programs.join("initdb"));
        initdb.args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"]);
        let made = initdb.args(["--no-sync", "--pgdata"]).arg(&data).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));

        let cluster = Self { folder };
        cluster.run();
        Handle::current().block_on(async {
            let mut admin = cluster.connect().await;
            let roles = "CREATE ROLE offhook_owner LOGIN; CREATE ROLE offhook LOGIN";
            admin.execute(sqlx::raw_sql(roles)).await.unwrap();
        });
        cluster
    }

    fn run(&self) {
        // The shell waits for the end of its input, which is our end, and takes all down with it.
        let guard = "trap '' INT TERM; \"$@\" >\"$0/log\" 2>&1 & server=$!; cat >/dev/null; \
                     kill -QUIT $server 2>/dev/null; wait $server; rm -rf \"$0\"";
        let mut shell = Command::new("sh");
        shell.args(["-c", guard]).arg(&self.folder);
        let mut server = command(User::find().as_ref(), &programs().join("postgres"));
        server.arg("-D").arg(self.folder.join("data")).arg("-k").arg(&self.folder);
        server.args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=300"]);
        shell.arg(server.get_program()).args(server.get_args());
        // Never waited for: it outlives whatever is dropped here.
        let child = shell.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        std::mem::forget(child);
    }

    /// Waits until it takes connections.
    async fn connect(&self) -> PgConnection {
        let begin = Instant::now();
        let url = self.url("postgres", "postgres");
        loop {
            match PgConnection::connect(&url).await {
                Ok(admin) => break admin,
                Err(error) if begin.elapsed() > PATIENCE => {
                    let log = fs::read_to_string(self.folder.join("log")).unwrap();
                    panic!("PostgreSQL does not start: {error}\n{log}");
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }
}

/// Whom PostgreSQL runs as where we are root: it refuses to be.
struct User {
    id: u32,
    group: u32,
}

impl User {
    fn find() -> Option<Self> {
        let number = |arguments: &[&str]| -> u32 {
            let output = Command::new("id").args(arguments).output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
        };
        let is_root = number(&["-u"]) == 0;
        is_root
            .then(|| Self { id: number(&["-u", "postgres"]), group: number(&["-g", "postgres"]) })
    }
}

fn command(user: Option<&User>, program: &Path) -> Command {
    let Some(User { id, group }) = user else { return Command::new(program) };
    let mut command = Command::new("setpriv");
    command.args([format!("--reuid={id}"), format!("--regid={group}")]);
    command.arg("--clear-groups").arg(program).current_dir("/");
    command
}

/// Where `initdb` and `postgres` are: Debian keeps them out of PATH.
fn programs() -> PathBuf {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debian = debian.map(|version| version.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path: Vec<_> = std::env::split_paths(&path).collect();
    let has_both = |folder: &PathBuf| {
        ["initdb", "postgres"].iter().all(|program| folder.join(program).is_file())
    };
    debian.chain(path).find(has_both).expect("PostgreSQL is not installed: `cargo xtask test` does")
}

const PATIENCE: Duration = Duration::from_secs(20);
