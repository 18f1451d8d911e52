//! A load run: for each number of calls the bare loop and then the server, alone on its core.

mod bare;
mod call;
mod drive;
mod label;
mod link;
mod place;
mod process;
mod provider;
mod report;
mod tally;
mod wire;

use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use call_transports::twilio::Sid;
use clap::{Args, Parser, Subcommand};

use bare::Bare;
use drive::Drive;
use place::Door;
use process::{Cores, Cpu, Process, Subject};
use report::Row;
use tally::{Spread, Tally};

/// Drives real-time calls through the server and through a loop that only forwards.
#[derive(Parser)]
#[command(name = "load", args_conflicts_with_subcommands = true)]
struct CommandLine {
    #[command(subcommand)]
    part: Option<Part>,
    #[command(flatten)]
    wanted: Wanted,
}

#[derive(Subcommand)]
enum Part {
    /// Is the loop that only forwards
    #[command(hide = true)]
    Bare {
        /// Where it listens
        listen: SocketAddr,
        /// Where it finds the agent
        agent: SocketAddr,
    },
}

#[derive(Args)]
struct Wanted {
    /// How many calls at once; several numbers are measured one after the other
    #[arg(long, value_delimiter = ',', value_name = "N,N,…", default_value = "50,200")]
    calls: Vec<u32>,

    /// How long each is measured
    #[arg(long, value_name = "S", default_value_t = 10,
          value_parser = clap::value_parser!(u64).range(1..=540))]
    seconds: u64,

    /// The core for what is measured; the calls take the others [default: the last]
    #[arg(long, value_name = "C")]
    core: Option<usize>,
}

pub(crate) fn main() -> ExitCode {
    let CommandLine { part, wanted } = CommandLine::parse();
    let outcome = match part {
        Some(Part::Bare { listen, agent }) => forward(listen, agent),
        None => measure(&wanted),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn forward(listen: SocketAddr, agent: SocketAddr) -> Result<()> {
    let listener = TcpListener::bind(listen).context("the loop cannot listen")?;
    Bare::new(listener, agent)?.run()
}

fn measure(wanted: &Wanted) -> Result<()> {
    process::allow_many_sockets()?;
    let cores = Cores::divide(wanted.core)?;
    Cores::stay_on(&cores.others)?;
    report::heading(&cores, wanted.seconds)?;
    for calls in &wanted.calls {
        let length = Duration::from_secs(wanted.seconds);
        let bare = row(Subject::Bare, *calls, length, &cores)?;
        let server = row(Subject::Server, *calls, length, &cores)?;
        report::table(*calls, &bare, &server);
    }
    Ok(())
}

/// What server and carrier share.
pub(crate) struct Keys {
    pub(crate) account: Sid,
    pub(crate) auth_token: String,
}

impl Keys {
    fn new() -> Result<Self> {
        let account = Sid::parse("AC0000000000000000000000000000000f").context("it is a SID")?;
        Ok(Self { account, auth_token: "load".to_owned() })
    }
}

/// Measures one subject with so many calls.
fn row(subject: Subject, calls: u32, length: Duration, cores: &Cores) -> Result<Row> {
    let keys = Keys::new()?;
    let mut drive = Drive::new()?;
    let process = Process::start(subject, cores, drive.providers()?, &keys, calls)?;
    let door = Door { subject, address: process.address, keys: &keys };
    let row = measured(&mut drive, &door, &process, calls, length);
    row.with_context(|| {
        let log = process.last_words();
        format!("{subject:?} with {calls} calls; its log ends so:\n{log}\n")
    })
}

fn measured(
    drive: &mut Drive,
    door: &Door<'_>,
    process: &Process,
    calls: u32,
    length: Duration,
) -> Result<Row> {
    door.wait()?;
    let idle_bytes = process.resident_bytes()?;
    begin(drive, door, calls)?;
    let up_bytes = process.resident_bytes()?;
    let per_call = |bytes: u64, before: u64| bytes.saturating_sub(before) / u64::from(calls);
    let call_bytes = per_call(up_bytes, idle_bytes);

    let (cpu, own, crossed, began) = (process.cpu()?, Cpu::own()?, drive.crossed, Instant::now());
    drive.counts = true;
    drive.run(length)?;
    drive.counts = false;
    let (cpu, own) = (process.cpu()?.since(cpu), Cpu::own()?.since(own));
    let (crossed, took) = (drive.crossed - crossed, began.elapsed());
    let grown_bytes = per_call(process.resident_bytes()?, up_bytes);
    // What is still on its way comes back, or never does.
    drive.run(Duration::from_secs(1))?;

    drive.interrupt(INTERRUPTED, INTERRUPTIONS);
    drive.run(Drive::interruptions(INTERRUPTIONS))?;
    let expected = INTERRUPTED.min(drive.calls.len()) as u64 * INTERRUPTIONS;
    Ok(Row {
        tally: Tally::of(drive.calls.iter().flat_map(|call| &call.stamps)),
        doubled: drive.calls.iter().map(|call| call.doubled).sum(),
        reordered: drive.calls.iter().map(|call| call.reordered).sum(),
        cpu,
        crossed,
        call_bytes,
        grown_bytes,
        clears: Spread::of(std::mem::take(&mut drive.clears)),
        interrupted: expected,
        replied: drive.replied,
        stale: drive.stale,
        slip: Spread::of(std::mem::take(&mut drive.slips)),
        busy: own.all_us() as f64 / took.as_micros() as f64,
        subject_busy: cpu.all_us() as f64 / took.as_micros() as f64,
    })
}

/// Places the calls, and waits until every agent repeats what it hears.
fn begin(drive: &mut Drive, door: &Door<'_>, calls: u32) -> Result<()> {
    for call in 0..calls {
        // The frames of all calls are spread over their 20 ms.
        drive.place(door, Duration::from_millis(20) * call / calls)?;
        drive.run(RAMP)?;
    }
    let begin = Instant::now();
    loop {
        let up = drive.calls.iter().filter(|call| call.echoes >= ECHOES_FIRST).count();
        if up == drive.calls.len() {
            // What piled up while calls were placed is worked off.
            return drive.run(Duration::from_secs(1));
        }
        ensure!(begin.elapsed() < BEGIN_LIMIT, "only {up} of {calls} calls came up");
        drive.run(Duration::from_millis(100))?;
    }
}

/// Between two calls that are placed.
const RAMP: Duration = Duration::from_millis(5);

/// A call is up when so many frames have come back.
const ECHOES_FIRST: u64 = 10;

const BEGIN_LIMIT: Duration = Duration::from_secs(20);

/// So many callers interrupt the agent, so often each, while all other calls go on.
const INTERRUPTED: usize = 20;
const INTERRUPTIONS: u64 = 3;

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn calls_cross_the_bare_loop_whole_and_a_voice_clears() {
        let mut drive = Drive::new().expect("the loopback has a free port");
        let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback has a free port");
        let address = listener.local_addr().expect("it is bound");
        let bare = Bare::new(listener, drive.providers().expect("it is bound"));
        // It ends with the test.
        thread::spawn(move || bare.expect("the loop has what it needs").run());
        let keys = Keys::new().expect("the account is a SID");
        let door = Door { subject: Subject::Bare, address, keys: &keys };
        begin(&mut drive, &door, 3).expect("all calls come up");
        drive.counts = true;
        drive.run(Duration::from_millis(400)).expect("the calls go on");
        drive.counts = false;
        let tally = |drive: &Drive| Tally::of(drive.calls.iter().flat_map(|call| &call.stamps));
        until(&mut drive, |drive| tally(drive).lost == 0);
        assert!(tally(&drive).sent > 0);
        assert_eq!(drive.slips.len() as u64, tally(&drive).sent);
        drive.interrupt(2, 1);
        // It has no gate: what comes late is heard.
        until(&mut drive, |drive| drive.stale == 20);
        assert_eq!((drive.clears.len(), drive.replied), (2, 200));
        let wrong: u64 = drive.calls.iter().map(|call| call.doubled + call.reordered).sum();
        assert_eq!(wrong, 0);
    }

    /// On a busy machine everything takes longer, and is no less true.
    fn until(drive: &mut Drive, holds: impl Fn(&Drive) -> bool) {
        for _ in 0..100 {
            drive.run(Duration::from_millis(100)).expect("the calls go on");
            if holds(drive) {
                return;
            }
        }
        panic!("it did not come to that in ten seconds");
    }
}
