//! A PostgreSQL that is thrown away: in a folder of its own, on a socket in it. It runs where the driver
//! does, and not on the core of what is measured.

use std::fs::{self, File};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, getuid, kill_process};
use tempfile::TempDir;

/// A running cluster with the roles `offhook` and `offhook_owner`, and an empty database. It ends with
/// this.
pub(crate) struct Cluster {
    postgres: Child,
    programs: PathBuf,
    folder: TempDir,
}

impl Cluster {
    pub(super) fn start() -> Result<Self> {
        let programs = programs()?;
        let folder = tempfile::tempdir()?;
        let user = User::of_postgres()?;
        if let Some(User { id, group }) = user {
            chown(folder.path(), Some(id), Some(group))?;
        }
        let data = folder.path().join("data");
        let mut initdb = command(user, &programs.join("initdb"));
        initdb.args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"]);
        done(initdb.args(["--no-sync", "--pgdata"]).arg(&data))?;

        let mut postgres = command(user, &programs.join("postgres"));
        postgres.arg("-D").arg(&data).arg("-k").arg(folder.path());
        postgres.args(["-c", "listen_addresses=", "-c", "fsync=off"]);
        postgres.stdin(Stdio::null()).stdout(Stdio::null());
        postgres.stderr(File::create(folder.path().join("log"))?);
        let postgres = postgres.spawn().context("PostgreSQL does not start")?;
        let cluster = Self { postgres, programs, folder };
        cluster.wait()?;
        cluster.tell("CREATE ROLE offhook_owner LOGIN")?;
        cluster.tell("CREATE ROLE offhook LOGIN")?;
        cluster.tell("CREATE DATABASE calls OWNER offhook_owner")?;
        Ok(cluster)
    }

    /// The address of its database for a role.
    pub(super) fn url(&self, role: &str) -> String {
        let folder = self.folder.path().display();
        format!("postgres:///calls?host={folder}&user={role}&sslmode=disable")
    }

    /// Waits until it takes connections.
    fn wait(&self) -> Result<()> {
        let begin = Instant::now();
        while let Err(error) = self.tell("SELECT 1") {
            if begin.elapsed() > PATIENCE {
                let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                bail!("PostgreSQL does not start: {error:#}\n{log}");
            }
            sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    fn tell(&self, what: &str) -> Result<()> {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.arg("--host").arg(self.folder.path());
        psql.args(["--username=postgres", "--no-psqlrc", "--quiet", "--command", what]);
        done(&mut psql)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // It does not have to keep anything. It may be gone already, which is what is wanted.
        if let Some(pid) = Pid::from_raw(self.postgres.id().cast_signed()) {
            let _ = kill_process(pid, Signal::QUIT);
        }
        let _ = self.postgres.wait();
    }
}

/// Whom PostgreSQL runs as where we are root: it refuses to be.
#[derive(Clone, Copy)]
struct User {
    id: u32,
    group: u32,
}

impl User {
    /// Nothing where it can run as whoever we are.
    fn of_postgres() -> Result<Option<Self>> {
        if !getuid().is_root() {
            return Ok(None);
        }
        let number = |what: &str| -> Result<u32> {
            let output = Command::new("id").args([what, "postgres"]).output()?;
            let said = String::from_utf8_lossy(&output.stdout);
            said.trim().parse().context("there is no user postgres")
        };
        Ok(Some(Self { id: number("-u")?, group: number("-g")? }))
    }
}

fn command(user: Option<User>, program: &Path) -> Command {
    let Some(User { id, group }) = user else { return Command::new(program) };
    let mut command = Command::new("setpriv");
    command.args([format!("--reuid={id}"), format!("--regid={group}")]);
    command.arg("--clear-groups").arg(program).current_dir("/");
    command
}

/// Runs a program to its end.
pub(super) fn done(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("{command:?} does not start"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}: {said}", command.get_program().display());
    Ok(())
}

/// Where PostgreSQL's programs are: Debian keeps them out of PATH.
fn programs() -> Result<PathBuf> {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debian = debian.map(|version| version.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path: Vec<_> = std::env::split_paths(&path).collect();
    let has_all = |folder: &PathBuf| {
        ["initdb", "postgres", "psql"].iter().all(|program| folder.join(program).is_file())
    };
    let found = debian.chain(path).find(has_all);
    found.context("PostgreSQL is not installed: `cargo xtask test` does")
}

const PATIENCE: Duration = Duration::from_secs(20);
