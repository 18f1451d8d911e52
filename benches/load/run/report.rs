//! The table: the bare loop and the server side by side.

use std::fs;

use anyhow::Result;

use super::kept::Kept;
use super::memory::Memory;
use super::process::{Cores, Cpu};
use super::tally::{Spread, Tally};

/// What was measured of one subject.
pub(crate) struct Row {
    pub(crate) tally: Tally,
    pub(crate) doubled: u64,
    pub(crate) reordered: u64,
    /// Processor time of the subject while frames counted.
    pub(crate) cpu: Cpu,
    /// Frames of either direction that crossed meanwhile.
    pub(crate) crossed: u64,
    pub(crate) memory: Memory,
    /// How many calls came to their end and were followed by others.
    pub(crate) ended: u64,
    /// Sockets of theirs that the subject has not closed.
    pub(crate) left_open: u64,
    /// From the caller's voice to `clear`.
    pub(crate) clears: Spread,
    /// How many of them there should be.
    pub(crate) interrupted: u64,
    /// Frames of interrupted replies that were to be heard, and that were not.
    pub(crate) replied: u64,
    pub(crate) stale: u64,
    pub(crate) kept: Kept,
    /// What is wrong with that.
    pub(crate) kept_wrongly: Option<&'static str>,
    /// How fast the journals of calls that go on have grown.
    pub(crate) steps_a_second: f64,
    pub(crate) slip: Spread,
    /// Share of the time in which the driver ran, and the subject.
    pub(crate) busy: f64,
    pub(crate) subject_busy: f64,
}

/// A run whose driver was later than this says nothing about the subject.
const SLIP_MS_MAX: f64 = 5.0;

impl Row {
    /// Why this says nothing about the subject.
    pub(crate) fn faults(&self) -> Vec<String> {
        let slip = self.slip.p99 > SLIP_MS_MAX;
        let slip = slip.then(|| format!("the driver's p99 slip is above {SLIP_MS_MAX} ms"));
        slip.into_iter().chain(self.kept_wrongly.map(str::to_owned)).collect()
    }

    /// Microseconds for each frame that crossed.
    pub(crate) fn per_frame(&self, us: u64) -> f64 {
        us as f64 / self.crossed.max(1) as f64
    }
}

/// One of the numbers of a row.
type Figure = fn(&Row) -> u64;

/// One of what is known of its memory.
type OfMemory = fn(&Memory) -> f64;

/// Says what is measured where.
pub(crate) fn heading(cores: &Cores, seconds: u64, call_seconds: Option<u64>) -> Result<()> {
    let load = fs::read_to_string("/proc/loadavg")?;
    let load = load.split(' ').next().unwrap_or_default();
    let Cores { subject, others } = cores;
    println!("Measured on core {subject}, driven from {others:?}, {seconds} s each.");
    if let Some(call_seconds) = call_seconds {
        println!("Each call is over after {call_seconds} s, and another takes its place.");
    }
    println!("Load of the machine before: {load}. Times in ms, unless they say otherwise.");
    Ok(())
}

/// Prints both beside each other.
pub(crate) fn table(calls: u32, bare: &Row, server: &Row) {
    println!("\n{calls} calls{:27}{:>12}{:>12}{:>9}", "", "bare loop", "server", "ratio");
    spread("both ways", bare, server, |row| row.tally.both_ways.spread());
    spread("to the agent", bare, server, |row| row.tally.to_agent.spread());
    spread("to the caller", bare, server, |row| row.tally.to_caller.spread());
    let cpu: [(&str, Figure); 3] = [
        ("CPU per frame, user µs", |row| row.cpu.user_us),
        ("CPU per frame, system µs", |row| row.cpu.system_us),
        ("CPU per frame, both µs", |row| row.cpu.all_us()),
    ];
    for (what, us) in cpu {
        figures(what, bare.per_frame(us(bare)), server.per_frame(us(server)));
    }
    let memory: [(&str, OfMemory); 5] = [
        ("memory per call, KiB", Memory::up_kib),
        ("  after the first minute, KiB", Memory::minute_kib),
        ("  at the end, KiB", Memory::end_kib),
        ("  growth after the first minute, KiB", |memory| memory.end_kib() - memory.minute_kib()),
        ("  the same per call that ended, bytes", Memory::kept_bytes),
    ];
    for (what, of) in memory {
        figures(what, of(&bare.memory), of(&server.memory));
    }
    spread("voice to clear", bare, server, |row| row.clears);
    let counts: [(&str, Figure); 12] = [
        ("records closed with their journals", |row| row.kept.closed),
        ("entries in the audit log", |row| row.kept.entries),
        ("calls that ended", |row| row.ended),
        ("  sockets still open", |row| row.left_open),
        ("frames sent", |row| row.tally.sent),
        ("frames lost", |row| row.tally.lost),
        ("frames doubled", |row| row.doubled),
        ("frames out of order", |row| row.reordered),
        ("replies interrupted", |row| row.interrupted),
        ("  of them cleared", |row| row.clears.count as u64),
        ("  frames heard before", |row| row.replied),
        ("  stale frames after", |row| row.stale),
    ];
    for (what, count) in counts {
        println!("{what:<38}{:>12}{:>12}", count(bare), count(server));
    }
    figures("steps a second of a call", bare.steps_a_second, server.steps_a_second);
    let share = |row: &Row| 100.0 * row.subject_busy;
    println!("{:<38}{:>11.0}%{:>11.0}%", "its core was busy", share(bare), share(server));
    let share = |row: &Row| 100.0 * row.busy;
    println!("{:<38}{:>11.0}%{:>11.0}%", "the driver was busy", share(bare), share(server));
    spread("the driver's slip", bare, server, |row| row.slip);
    for (what, row) in [("bare loop", bare), ("server", server)] {
        row.faults().iter().for_each(|fault| println!("NOT VALID: {what}: {fault}"));
    }
}

fn spread(what: &str, bare: &Row, server: &Row, of: fn(&Row) -> Spread) {
    let (bare, server) = (of(bare), of(server));
    figures(&format!("{what}, p50"), bare.p50, server.p50);
    figures(&format!("{what}, p99"), bare.p99, server.p99);
    figures(&format!("{what}, p99.9"), bare.p999, server.p999);
    figures(&format!("{what}, max"), bare.max, server.max);
}

fn figures(what: &str, bare: f64, server: f64) {
    println!("{what:<38}{bare:>12.3}{server:>12.3}{:>9.2}", server / bare);
}
