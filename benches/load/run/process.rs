//! The process that is measured: started on a core of its own, and what the system knows of it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use tempfile::TempDir;

use super::Keys;
use super::kept::{self, Kept};
use super::stores::{Cluster, Store};

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// The loop that only forwards.
    Bare,
    /// The server, with this store.
    Server(Store),
}

/// A running process with a folder for whatever it writes. Both end with this.
pub(crate) struct Process {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Where it tells what it has counted.
    pub(crate) metrics: SocketAddr,
    folder: TempDir,
    /// It ends behind the process that uses it.
    _cluster: Option<Cluster>,
}

/// The core of the process, and the others, which are left for the calls.
#[derive(Debug, Clone)]
pub(crate) struct Cores {
    pub(crate) subject: usize,
    pub(crate) others: Vec<usize>,
}

impl Cores {
    /// Divides the cores that this process may use. Without a wish, the last one is the subject's.
    pub(crate) fn divide(wish: Option<usize>) -> Result<Self> {
        let allowed = sched_getaffinity(None)?;
        let all: Vec<_> = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).collect();
        let subject = wish.or(all.last().copied()).context("there is no core")?;
        ensure!(all.contains(&subject), "core {subject} is not one of {all:?}");
        let others: Vec<_> = all.into_iter().filter(|core| *core != subject).collect();
        ensure!(!others.is_empty(), "two cores are needed: one for the server, one for the calls");
        Ok(Self { subject, others })
    }

    /// Keeps this process, and whatever it starts from now on, on these cores.
    pub(crate) fn stay_on(cores: &[usize]) -> Result<()> {
        let mut set = CpuSet::new();
        cores.iter().for_each(|core| set.set(*core));
        sched_setaffinity(None, &set).context("the cores cannot be chosen")
    }
}

impl Process {
    /// Starts a subject on its core. `agent` is where it finds every provider.
    pub(crate) fn start(
        subject: Subject,
        cores: &Cores,
        agent: SocketAddr,
        keys: &Keys,
        calls: u32,
    ) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let (address, metrics) = (free_address()?, free_address()?);
        let here = std::env::current_exe()?;
        let mut used = None;
        let mut command = match subject {
            Subject::Bare => bare(&here, address, agent),
            Subject::Server(store) => {
                let server = match std::env::var_os("OFFHOOK_SERVER") {
                    Some(other) => PathBuf::from(other),
                    None => here.with_file_name("server"),
                };
                ensure!(server.is_file(), "`cargo xtask load` builds {}", server.display());
                let providers = Providers { agent, keys, calls };
                let mut command = server_command(&server, address, &providers, folder.path())?;
                command.env("METRICS_ADDR", metrics.to_string());
                let (variables, cluster) = store.make(&server, folder.path())?;
                used = cluster;
                command.envs(variables);
                command
            }
        };
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(fs::File::create(folder.path().join(LOG))?);
        // The affinity is inherited, so the process has never been on another core.
        Cores::stay_on(&[cores.subject])?;
        let child = command.spawn();
        Cores::stay_on(&cores.others)?;
        let child = child.with_context(|| format!("{command:?} does not start"))?;
        Ok(Self { child, address, metrics, folder, _cluster: used })
    }

    /// Processor time used so far.
    pub(crate) fn cpu(&self) -> Result<Cpu> {
        cpu_of(&format!("/proc/{}/stat", self.child.id()))
    }

    /// Bytes of memory that it has now.
    pub(crate) fn resident_bytes(&self) -> Result<u64> {
        let text = fs::read_to_string(format!("/proc/{}/statm", self.child.id()))?;
        let pages = text.split(' ').nth(1).context("statm has a second field")?;
        Ok(pages.parse::<u64>()? * rustix::param::page_size() as u64)
    }

    /// What the server has kept, by what it tells of itself and by its spool.
    pub(crate) fn kept(&self, metrics: &str) -> Result<Kept> {
        Kept::read(metrics, &self.folder.path().join(SPOOL))
    }

    /// How many steps the journals of calls that go on have; none where there is no spool.
    pub(crate) fn steps(&self) -> Result<usize> {
        let spool = self.folder.path().join(SPOOL);
        Ok(if spool.is_dir() { kept::journals(&spool)?.iter().sum() } else { 0 })
    }

    /// The end of what it wrote to its log.
    pub(crate) fn last_words(&self) -> String {
        let log = fs::read_to_string(self.folder.path().join(LOG)).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(10)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const LOG: &str = "log";
const SPOOL: &str = "spool";

/// Processor time, in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Cpu {
    pub(crate) user_us: u64,
    pub(crate) system_us: u64,
}

impl Cpu {
    /// This process's own.
    pub(crate) fn own() -> Result<Self> {
        cpu_of("/proc/self/stat")
    }

    pub(crate) const fn since(self, before: Self) -> Self {
        Self {
            user_us: self.user_us - before.user_us,
            system_us: self.system_us - before.system_us,
        }
    }

    pub(crate) const fn all_us(self) -> u64 {
        self.user_us + self.system_us
    }
}

fn cpu_of(stat: &str) -> Result<Cpu> {
    let text = fs::read_to_string(stat).context("the process is gone")?;
    let tick_us = 1_000_000 / rustix::param::clock_ticks_per_second();
    cpu_in(&text, tick_us).context("stat is not as proc(5) says")
}

/// Fields 14 and 15 of proc(5). The second one, a name in parentheses, may hold anything.
fn cpu_in(stat: &str, tick_us: u64) -> Option<Cpu> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ').skip(11).map(|ticks| ticks.parse::<u64>().ok());
    let (user, system) = (fields.next()??, fields.next()??);
    Some(Cpu { user_us: user * tick_us, system_us: system * tick_us })
}

/// Each call has two sockets on either side; a shell allows few by default.
pub(crate) fn allow_many_sockets() -> Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let wide = Rlimit { current: maximum, maximum };
    setrlimit(Resource::Nofile, wide).context("no more sockets are allowed")
}

/// An address that nobody listens on. Somebody else could take it first, and then the start fails.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

fn bare(here: &Path, address: SocketAddr, agent: SocketAddr) -> Command {
    let mut command = Command::new(here);
    command.arg("bare").arg(address.to_string()).arg(agent.to_string());
    command
}

struct Providers<'a> {
    agent: SocketAddr,
    keys: &'a Keys,
    calls: u32,
}

/// Configures the server as docs/operations.md says: variables and a company's file. The store comes
/// by itself.
fn server_command(
    server: &Path,
    address: SocketAddr,
    providers: &Providers<'_>,
    folder: &Path,
) -> Result<Command> {
    let Providers { agent, keys, calls } = *providers;
    let company = folder.join("company.toml");
    fs::write(&company, COMPANY)?;
    let mut command = Command::new(server);
    command.env_remove("RUST_LOG").env_remove("LOG_FORMAT").env_remove("FINGERPRINT_KEY");
    command.env_remove("UNRECORDED");
    command.env("LISTEN_ADDR", address.to_string());
    command.env("PUBLIC_URL", format!("http://{address}"));
    command.env("SPOOL_DIR", folder.join(SPOOL));
    command.env("AUDIT_DIR", folder.join("audit"));
    command.env("TWILIO_ACCOUNT_SID", keys.account.as_str());
    command.env("TWILIO_AUTH_TOKEN", &keys.auth_token);
    command.env("TWILIO_API_URL", format!("http://{agent}"));
    command.env("DEEPGRAM_API_KEY", "load");
    command.env("DEEPGRAM_AGENT_URL", format!("ws://{agent}"));
    command.env("DEEPGRAM_SPEAK_URL", format!("http://{agent}"));
    command.env("MIDDLEWARE_URL", format!("http://{agent}"));
    command.env("MIDDLEWARE_API_KEY", "load");
    command.env("COMPANY_FILE", company);
    // Where calls come and go, one comes while another is not quite gone.
    command.env("MAX_CALLS", (2 * calls).to_string());
    Ok(command)
}

/// What callers dial.
pub(crate) const NUMBER: &str = "+15550100011";

/// The agent repeats what it hears for as long as a run lasts, which no other agent should.
const COMPANY: &str = r#"
id = "echo"
name = "Echo"
version = 1
numbers = ["+15550100011"]
language = "en"
functions = ["hangup_call"]
utc_offset_minutes = 0

[limits]
agent_speech = 600000

[agents.en]
voice = "aura-2-thalia-en"
listen_model = "flux-general-multi"
think_provider = "open_ai"
think_model = "gpt-4.1-mini"
prompt = "Repeat what you hear."
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_found_behind_any_name() {
        let stat = "71 (a) b) c) S 1 2 3 4 5 6 7 8 9 10 40 2 0 0 20";
        let cpu = cpu_in(stat, 10_000).expect("it is a line of stat");
        assert_eq!(cpu, Cpu { user_us: 400_000, system_us: 20_000 });
    }

    #[test]
    fn a_process_knows_its_own_time() {
        let before = Cpu::own().expect("there is a /proc");
        let mut sum = 0_u64;
        while Cpu::own().expect("there is a /proc").since(before).all_us() < 20_000 {
            (0..100_000).for_each(|n| sum = std::hint::black_box(sum.wrapping_add(n)));
        }
    }

    #[test]
    fn callers_dial_the_companys_number() {
        assert!(COMPANY.contains(NUMBER));
    }
}
