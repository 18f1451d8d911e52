//! A load run: for each number of calls the bare loop and then the server, alone on its core.

mod bare;
mod call;
mod drive;
mod exchange;
mod kept;
mod label;
mod link;
mod memory;
mod pairs;
mod place;
mod process;
mod provider;
mod report;
mod stores;
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
use kept::Kept;
use memory::Memory;
use place::Door;
use process::{Cores, Cpu, Process, Subject};
use report::Row;
use stores::Store;

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

    /// How long each is measured: nine minutes at most, unless calls are short
    #[arg(long, value_name = "S", default_value_t = 10,
          value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,

    /// How long a call is before its caller hangs up and another one calls [default: as long as the run]
    #[arg(long, value_name = "S", value_parser = clap::value_parser!(u64).range(5..=SECONDS_MAX))]
    call_seconds: Option<u64>,

    /// Measures the server with each of these stores, in pairs, and not beside the bare loop
    #[arg(long, value_enum, value_delimiter = ',', value_name = "STORE,…")]
    stores: Vec<Store>,

    /// How many runs there are with each store
    #[arg(long, value_name = "N", default_value_t = 5, requires = "stores",
          value_parser = clap::value_parser!(u32).range(1..))]
    pairs: u32,

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
    let turn = wanted.call_seconds.map(Duration::from_secs);
    ensure!(
        turn.is_some() || wanted.seconds <= SECONDS_MAX,
        "no call is longer than {SECONDS_MAX} s: `--call-seconds` lets calls come and go meanwhile"
    );
    report::heading(&cores, wanted.seconds, wanted.call_seconds)?;
    for &calls in &wanted.calls {
        let plan = Plan { calls, seconds: wanted.seconds, turn };
        if !wanted.stores.is_empty() {
            println!("\n{calls} calls");
            let measured = |store| row(Subject::Server(store), plan, &cores);
            pairs::compare(&wanted.stores, wanted.pairs, measured)?;
            continue;
        }
        let bare = Plan { seconds: wanted.seconds.min(BARE_SECONDS_MAX), ..plan };
        let bare = row(Subject::Bare, bare, &cores)?;
        let server = row(Subject::Server(Store::Sqlite), plan, &cores)?;
        report::table(calls, &bare, &server);
    }
    Ok(())
}

/// What is done to one subject.
#[derive(Clone, Copy)]
struct Plan {
    /// Calls at once.
    calls: u32,
    /// How long they are measured.
    seconds: u64,
    /// How long a call is, if they come and go.
    turn: Option<Duration>,
}

/// What server and carrier share.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) account: Sid,
    pub(crate) auth_token: String,
}

impl Keys {
    fn new() -> Result<Self> {
        let account = Sid::parse(ACCOUNT).context("it is a SID")?;
        Ok(Self { account, auth_token: "load".to_owned() })
    }
}

/// Measures one subject.
fn row(subject: Subject, plan: Plan, cores: &Cores) -> Result<Row> {
    let keys = Keys::new()?;
    let mut drive = Drive::new()?;
    let process = Process::start(subject, cores, drive.providers()?, &keys, plan.calls)?;
    let door = Door { subject, address: process.address, keys };
    let row = measured(&mut drive, door, &process, plan);
    row.with_context(|| {
        let log = process.last_words();
        format!("{subject:?} with {} calls; its log ends so:\n{log}\n", plan.calls)
    })
}

fn measured(drive: &mut Drive, door: Door, process: &Process, plan: Plan) -> Result<Row> {
    door.wait()?;
    let subject = door.subject;
    let idle_bytes = process.resident_bytes()?;
    begin(drive, door, plan.calls)?;
    let mut memory = Memory::new(plan.calls, idle_bytes, process.resident_bytes()?);

    let (cpu, own, crossed, began) = (process.cpu()?, Cpu::own()?, drive.crossed, Instant::now());
    if let Some(turn) = plan.turn {
        drive.take_turns(turn);
    }
    drive.counts = true;
    for second in 1..=plan.seconds {
        drive.run(Duration::from_secs(second).saturating_sub(began.elapsed()))?;
        memory.look(second, process.resident_bytes()?, drive.ended);
    }
    drive.counts = false;
    drive.stay();
    let (cpu, own) = (process.cpu()?.since(cpu), Cpu::own()?.since(own));
    let (crossed, took) = (drive.crossed - crossed, began.elapsed());
    // What is still on its way comes back, or never does.
    drive.run(Duration::from_secs(1))?;
    let tally = drive.tally();
    let steps_a_second = process.steps()? as f64 / drive.live_seconds();

    let interrupted = drive.interrupt(INTERRUPTED, INTERRUPTIONS) as u64 * INTERRUPTIONS;
    drive.run(Drive::interruptions(INTERRUPTIONS))?;
    let (kept, kept_wrongly) = kept(drive, subject, process)?;
    Ok(Row {
        tally,
        doubled: drive.calls.iter().map(|call| call.doubled).sum(),
        reordered: drive.calls.iter().map(|call| call.reordered).sum(),
        ended: drive.ended,
        left_open: drive.left_open() as u64,
        cpu,
        crossed,
        memory,
        kept,
        kept_wrongly,
        steps_a_second,
        clears: drive.clears.spread(),
        interrupted,
        replied: drive.replied,
        stale: drive.stale,
        slip: drive.slips.spread(),
        busy: own.all_us() as f64 / took.as_micros() as f64,
        subject_busy: cpu.all_us() as f64 / took.as_micros() as f64,
    })
}

/// What was kept of the calls, and what is wrong with it. Records are closed a little after their calls.
fn kept(
    drive: &mut Drive,
    subject: Subject,
    process: &Process,
) -> Result<(Kept, Option<&'static str>)> {
    let Subject::Server(store) = subject else { return Ok((Kept::default(), None)) };
    let live = drive.calls.len() as u64 - drive.ended;
    let begin = Instant::now();
    loop {
        let kept = process.kept(&place::scrape(process.metrics)?)?;
        let fault = kept.fault(store, drive.ended, live);
        if fault.is_none() || begin.elapsed() > KEPT_LIMIT {
            return Ok((kept, fault));
        }
        drive.run(Duration::from_millis(200))?;
    }
}

/// Places the calls, and waits until every agent repeats what it hears.
fn begin(drive: &mut Drive, door: Door, calls: u32) -> Result<()> {
    drive.open(door)?;
    for call in 0..calls {
        // The frames of all calls are spread over their 20 ms.
        drive.place(Duration::from_millis(20) * call / calls)?;
        drive.run(RAMP)?;
    }
    let begin = Instant::now();
    loop {
        let up = drive.calls.iter().filter(|call| call.is_up()).count();
        if up == calls as usize {
            // What piled up while calls were placed is worked off.
            return drive.run(Duration::from_secs(1));
        }
        ensure!(begin.elapsed() < BEGIN_LIMIT, "only {up} of {calls} calls came up");
        drive.run(Duration::from_millis(100))?;
    }
}

/// The account that calls belong to.
const ACCOUNT: &str = "AC0000000000000000000000000000000f";

/// An agent speaks for ten minutes at most.
const SECONDS_MAX: u64 = 540;

/// A record that is not closed so long after its call is missing.
const KEPT_LIMIT: Duration = Duration::from_secs(10);

/// The loop is a yardstick, and does not change with time.
const BARE_SECONDS_MAX: u64 = 60;

/// Between two calls that are placed.
const RAMP: Duration = Duration::from_millis(5);

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
        let mut drive = with_calls(3);
        drive.counts = true;
        drive.run(Duration::from_millis(400)).expect("the calls go on");
        drive.counts = false;
        let is_back = |drive: &Drive| {
            drive.calls.iter().flat_map(|call| &call.stamps).all(|stamp| stamp.back > 0)
        };
        until(&mut drive, is_back);
        let tally = drive.tally();
        assert!(tally.sent > 0);
        assert_eq!((tally.lost, drive.slips.spread().count as u64), (0, tally.sent));
        assert_eq!(drive.interrupt(2, 1), 2);
        // It has no gate: what comes late is heard.
        until(&mut drive, |drive| drive.stale == 20);
        assert_eq!((drive.clears.spread().count, drive.replied), (2, 200));
        let wrong: u64 = drive.calls.iter().map(|call| call.doubled + call.reordered).sum();
        assert_eq!(wrong, 0);
    }

    #[test]
    fn calls_come_and_go_and_as_many_as_ever_stay_up() {
        let mut drive = with_calls(3);
        drive.counts = true;
        drive.take_turns(Duration::from_secs(3));
        until(&mut drive, |drive| drive.ended >= 5);
        drive.counts = false;
        drive.stay();
        let is_up = |drive: &Drive| {
            drive.calls.iter().filter(|call| call.is_up() && !call.is_over).count() == 3
        };
        until(&mut drive, is_up);
        assert_eq!(drive.calls.len() as u64, drive.ended + 3);
        let tally = drive.tally();
        assert!(tally.sent > 0);
        assert_eq!(tally.lost, 0);
        until(&mut drive, |drive| drive.left_open() == 0);
        // Nobody hangs up any more.
        let ended = drive.ended;
        drive.run(Duration::from_secs(3)).expect("the calls go on");
        assert_eq!((drive.ended, drive.interrupt(20, 1)), (ended, 3));
    }

    /// So many calls that are up at a bare loop.
    fn with_calls(calls: u32) -> Drive {
        let mut drive = Drive::new().expect("the loopback has a free port");
        let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback has a free port");
        let address = listener.local_addr().expect("it is bound");
        let bare = Bare::new(listener, drive.providers().expect("it is bound"));
        // It ends with the test.
        thread::spawn(move || bare.expect("the loop has what it needs").run());
        let keys = Keys::new().expect("the account is a SID");
        let door = Door { subject: Subject::Bare, address, keys };
        begin(&mut drive, door, calls).expect("all calls come up");
        drive
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
