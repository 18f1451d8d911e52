//! The server as it is run: a process of its own.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// A server in a process of its own.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
    _folder: Option<TempDir>,
}

impl Process {
    /// `how` is what a shell does; `$0` is the server.
    pub(crate) async fn start(how: &str, errors: Stdio, more: &[(&str, String)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Self::start_in(folder.path(), how, errors, more).await;
        process._folder = Some(folder);
        process
    }

    /// With its database and its spool in a folder that may outlive it. Nobody is out there: sessions of
    /// the agent, lines and requests to the carrier fail at once.
    pub(crate) async fn start_in(
        folder: &Path,
        how: &str,
        errors: Stdio,
        more: &[(&str, String)],
    ) -> Self {
        Self::start_at(free(), folder, how, errors, more).await
    }

    /// The same at an address, so that it is found again after it was killed.
    pub(crate) async fn start_at(
        address: SocketAddr,
        folder: &Path,
        how: &str,
        errors: Stdio,
        more: &[(&str, String)],
    ) -> Self {
        let company =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/companies/acme.toml");
        let database = database(folder);
        let nobody = "http://127.0.0.1:9";
        let child = Command::new("sh")
            .args(["-c", how, env!("CARGO_BIN_EXE_server")])
            .env_clear()
            .env("LISTEN_ADDR", address.to_string())
            .env("PUBLIC_URL", super::PUBLIC)
            .env("DATABASE_URL", database)
            .env("SPOOL_DIR", folder.join("spool"))
            .env("AUDIT_DIR", folder.join("audit"))
            .env("TWILIO_ACCOUNT_SID", super::ACCOUNT)
            .env("TWILIO_AUTH_TOKEN", super::AUTH_TOKEN)
            .env("TWILIO_API_URL", nobody)
            .env("DEEPGRAM_API_KEY", "key")
            .env("DEEPGRAM_AGENT_URL", "ws://127.0.0.1:9/v1/agent/converse")
            .env("DEEPGRAM_SPEAK_URL", nobody)
            .env("MIDDLEWARE_URL", nobody)
            .env("MIDDLEWARE_API_KEY", "key")
            .env("COMPANY_FILE", company)
            .envs(more.iter().map(|(name, value)| (*name, value.as_str())))
            .stdout(Stdio::null())
            .stderr(errors)
            .spawn()
            .unwrap();
        let process = Self { child, address, _folder: None };
        let answers = timeout(Duration::from_secs(20), async {
            while !process.answers().await {
                sleep(Duration::from_millis(50)).await;
            }
        });
        answers.await.expect("it does not answer");
        process
    }

    /// Whether it answers. It listens before it is there: whoever connects then waits for its answer.
    async fn answers(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(self.address).await else { return false };
        let request = b"GET /health HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n";
        stream.write_all(request).await.is_ok() && stream.read_u8().await.is_ok()
    }

    /// Kills it, and waits until it is dead.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, as whoever runs it does.
    pub(crate) fn terminate(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    }

    /// The code that it ended with; nothing while it runs.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        self.child.try_wait().unwrap().map(|status| status.code().unwrap())
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn end(&mut self) -> ExitStatus {
        self.terminate();
        self.child.wait().unwrap()
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// How much of a processor it has used so far.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<_> = stat.rsplit(") ").next().unwrap().split(' ').collect();
        // Field 14 and 15 of the line are its own time, in hundredths of a second (proc(5)).
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(10 * ticks)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where a server that was started in this folder keeps its records.
pub(crate) fn database(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("calls.db").display())
}

/// An address where nobody listens.
pub(crate) fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
