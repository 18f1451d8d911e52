//! What is counted, for `/metrics`: names, labels and buckets.
//!
//! Most of it is read from journals, step by step ([`measure`]); the rest is told where it happens,
//! or asked for when somebody looks. `docs/operations.md` lists every metric, which a test compares.
//!
//! A label holds a company's short name, a language, one of our own routes, or a word from a closed
//! list (`words`): never a call, a number, or what somebody said. So the number of series is
//! bounded, and nothing in them is personal.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use call_core::{Language, Millis};
use call_transports::net::{BreakerReport, Kept, Standing};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};

use crate::audit::AuditReport;
use crate::company::registry::Registry as Companies;
use crate::store::{Backlog, Writes};
use crate::telemetry;
use measure::Measurement;

pub use call::{CallMeter, Depths, Tally};
pub use refusal::{ApiRefusal, CallRefusal, StreamRefusal};
pub(crate) use web::count;
pub use web::serve;

mod call;
pub mod measure;
mod refusal;
mod web;
mod words;

type Labels = Vec<(&'static str, Cow<'static, str>)>;
type Counters = Family<Labels, Counter>;
type Gauges = Family<Labels, Gauge>;
type Histograms = Family<Labels, Histogram, Buckets>;

/// Everything that is counted. Cloning is cheap and gives the same one.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    /// The name of each metric, as scrapers see it.
    names: Vec<String>,
    families: Families,
}

/// How a histogram is made.
#[derive(Clone, Copy)]
struct Buckets(&'static [f64]);

impl prometheus_client::metrics::family::MetricConstructor<Histogram> for Buckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(self.0.iter().copied())
    }
}

struct Families {
    calls_begun: Counters,
    calls_refused: Counters,
    calls_live: Gauge,
    calls_ended: Counters,
    call: Histograms,
    streams_refused: Counters,
    turn: Histograms,
    functions: Counters,
    function: Histograms,
    sessions: Counters,
    sessions_lost: Counters,
    session_ready: Histograms,
    lines: Counters,
    line_ready: Histograms,
    clips: Counters,
    clips_kept: Gauge,
    clips_kept_bytes: Gauge,
    speech: Counters,
    clear: Histograms,
    transfers: Counters,
    step_lag: Histograms,
    steps_ignored: Counters,
    audio_bytes: Counters,
    audio_dropped: Counters,
    audio_filled: Counter,
    frames_ignored: Counters,
    queued: Gauges,
    webhooks: Counters,
    webhook: Histograms,
    rest: Counters,
    rest_took: Histograms,
    store_writes: Counters,
    breaker_state: Gauges,
    breaker_opened: Counters,
    breaker_spared: Counters,
    companies: Gauge,
    company_fault: Gauges,
    deleted: Counters,
    sweeps_failed: Counter,
    outbox: Counters,
    outbox_waiting: Gauges,
    outbox_oldest: Gauges,
    outbox_given_up: Gauges,
    api_refused: Counters,
    operator_deeds: Counters,
    log_dropped: Counter,
    audit_entries: Counters,
    audit_well: Gauge,
    loop_late: Histogram,
}

impl Metrics {
    /// Everything at zero.
    pub fn new() -> Self {
        let mut list = List { registry: Registry::with_prefix(PREFIX), names: Vec::new() };
        let families = families(&mut list);
        let List { registry, names } = list;
        Self(Arc::new(Inner { registry, names, families }))
    }

    /// The names of all metrics, as in `docs/operations.md`.
    pub fn names(&self) -> &[String] {
        &self.0.names
    }

    /// A call came in and was not taken.
    pub fn call_refused(&self, why: CallRefusal) {
        self.counters().calls_refused.get_or_create(&of(&[("reason", why.word())])).inc();
    }

    /// A stream was opened and not admitted.
    pub fn stream_refused(&self, why: StreamRefusal) {
        self.counters().streams_refused.get_or_create(&of(&[("reason", why.word())])).inc();
    }

    /// The companies were read.
    pub(crate) fn companies(&self, companies: &Companies) {
        let families = self.counters();
        families.companies.set(whole(companies.companies().len() as u64));
        families.company_fault.clear();
        for (company, fault) in companies.faults() {
            let labels = vec![("company", Cow::Owned(company)), ("fault", fault.word().into())];
            families.company_fault.get_or_create(&labels).set(1);
        }
    }

    /// A request to the operators' interface was refused.
    pub(crate) fn api_refused(&self, why: ApiRefusal) {
        self.counters().api_refused.get_or_create(&of(&[("reason", why.word())])).inc();
    }

    /// An operator wanted something done.
    pub(crate) fn operator_acted(&self, what: &'static str) {
        self.counters().operator_deeds.get_or_create(&of(&[("deed", what)])).inc();
    }

    /// The event loop came to a timer so late.
    pub(crate) fn loop_late(&self, late: Duration) {
        self.counters().loop_late.observe(late.as_secs_f64());
    }

    /// How the audit log stands.
    fn audit(&self, report: &AuditReport) {
        for (outcome, count) in report.counts {
            raise(&self.counters().audit_entries, &[("outcome", outcome)], count);
        }
        self.counters().audit_well.set(i64::from(report.is_well));
    }

    /// One of our routes was asked. `path` is the route, not what was asked for.
    fn webhook(&self, path: &str, status: u16, took: Duration) {
        let path = || ("path", Cow::Owned(path.to_owned()));
        let labels = vec![path(), ("status", Cow::Owned(status.to_string()))];
        self.counters().webhooks.get_or_create(&labels).inc();
        self.counters().webhook.get_or_create(&vec![path()]).observe(took.as_secs_f64());
    }

    /// All of it, as Prometheus reads it. What others count is asked for now.
    fn text(
        &self,
        live: usize,
        kept: &Kept,
        writes: &Writes,
        breakers: &[(&'static str, BreakerReport)],
    ) -> Result<String, fmt::Error> {
        let counters = self.counters();
        for (provider, report) in breakers {
            for standing in [Standing::Closed, Standing::HalfOpen, Standing::Open] {
                let words = [("provider", *provider), ("state", standing.word())];
                let is_so = i64::from(report.standing == standing);
                counters.breaker_state.get_or_create(&of(&words)).set(is_so);
            }
            raise(&counters.breaker_opened, &[("provider", *provider)], report.opened);
            raise(&counters.breaker_spared, &[("provider", *provider)], report.spared);
        }
        let dropped = telemetry::lines_dropped();
        counters.log_dropped.inc_by(dropped.saturating_sub(counters.log_dropped.get()));
        counters.calls_live.set(whole(live as u64));
        for (outcome, count) in
            [("kept", kept.found), ("asked", kept.asked), ("failed", kept.failed)]
        {
            raise(&counters.clips, &[("outcome", outcome)], count);
        }
        counters.clips_kept.set(whole(kept.clips as u64));
        counters.clips_kept_bytes.set(whole(kept.bytes as u64));
        for (kind, outcome, count) in writes.counts() {
            raise(&counters.store_writes, &[("kind", kind), ("outcome", outcome)], count);
        }
        let mut text = String::new();
        encode(&mut text, &self.0.registry)?;
        Ok(text)
    }

    /// A call ended of which no step tells how, because nobody here saw it end.
    pub(crate) fn call_lost(&self, company: &str, language: Language, reason: &'static str) {
        let mut labels = of(&[("reason", reason)]);
        labels.extend(whose(company, language));
        self.counters().calls_ended.get_or_create(&labels).inc();
    }

    /// Of so many calls something of a class was deleted, because its time was over.
    pub(crate) fn deleted(&self, company: &str, class: &'static str, how_many: u64) {
        let mut labels = of(&[("class", class)]);
        labels.push(("company", Cow::Owned(company.to_owned())));
        self.counters().deleted.get_or_create(&labels).inc_by(how_many);
    }

    /// What is due could not be deleted.
    pub(crate) fn sweep_failed(&self) {
        self.counters().sweeps_failed.inc();
    }

    /// Work about a call that is over was tried.
    pub(crate) fn outbox(&self, outcome: &'static str) {
        let words = [("kind", SUMMARY), ("outcome", outcome)];
        self.counters().outbox.get_or_create(&of(&words)).inc();
    }

    /// How much work there is that is not done, at a time in microseconds since 1970-01-01 UTC. Nothing
    /// where nobody can tell: what was known before is not said again as if it were so.
    fn backlogs(&self, backlogs: Option<&[Backlog]>, now_us: i64) {
        let families = self.counters();
        for gauges in [&families.outbox_waiting, &families.outbox_oldest, &families.outbox_given_up]
        {
            gauges.clear();
        }
        let Some(backlogs) = backlogs else { return };
        // A kind of which there is nothing stands there, too.
        let none = Backlog { kind: SUMMARY.to_owned(), waiting: 0, oldest_us: None, given_up: 0 };
        let is_missing = backlogs.iter().all(|backlog| backlog.kind != none.kind);
        for backlog in backlogs.iter().chain(is_missing.then_some(&none)) {
            let labels = vec![("kind", Cow::Owned(backlog.kind.clone()))];
            let age_us = backlog.oldest_us.map_or(0, |queued| now_us.saturating_sub(queued).max(0));
            families.outbox_waiting.get_or_create(&labels).set(backlog.waiting);
            families.outbox_oldest.get_or_create(&labels).set(age_us / 1_000_000);
            families.outbox_given_up.get_or_create(&labels).set(backlog.given_up);
        }
    }

    /// What a step told.
    fn record(&self, company: &str, language: Language, told: &Measurement) {
        let families = self.counters();
        let with = |words: &[(&'static str, &'static str)]| {
            let mut labels = of(words);
            labels.extend(whose(company, language));
            labels
        };
        let seconds =
            |family: &Histograms, words: &[(&'static str, &'static str)], took: Millis| {
                family.get_or_create(&with(words)).observe(took.0 as f64 / 1_000.0);
            };
        let one = |family: &Counters, words: &[(&'static str, &'static str)]| {
            family.get_or_create(&with(words)).inc();
        };
        match told {
            Measurement::Began => one(&families.calls_begun, &[]),
            Measurement::Ended { reason, lasted } => {
                one(&families.calls_ended, &[("reason", reason.word())]);
                seconds(&families.call, &[], *lasted);
            }
            Measurement::Turn { stage, course, took } => {
                let words = [("stage", words::stage(*stage)), ("course", words::course(*course))];
                seconds(&families.turn, &words, *took);
            }
            Measurement::Function { name, outcome, took } => {
                one(&families.functions, &[("function", name), ("outcome", outcome)]);
                if let Some(took) = took {
                    seconds(&families.function, &[("function", name)], *took);
                }
            }
            Measurement::SessionReady { resumed, took } => {
                let kind = if *resumed { "reconnected" } else { "opened" };
                one(&families.sessions, &[("kind", kind)]);
                seconds(&families.session_ready, &[("kind", kind)], *took);
            }
            Measurement::SessionLost(why) => one(&families.sessions_lost, &[("reason", why)]),
            Measurement::Line { line, rung, ready, took } => {
                let rung = ("rung", words::rung(*rung));
                let outcome = ("outcome", if *ready { "ready" } else { "failed" });
                one(&families.lines, &[("line", line.key()), rung, outcome]);
                if *ready {
                    seconds(&families.line_ready, &[rung], *took);
                }
            }
            Measurement::Speech { ours, fate } => {
                let whose = if *ours { "us" } else { "agent" };
                one(&families.speech, &[("whose", whose), ("fate", fate)]);
            }
            Measurement::BargeIn(took) => seconds(&families.clear, &[], *took),
            Measurement::Rest { kind, outcome, took } => {
                one(&families.rest, &[("kind", kind), ("outcome", outcome)]);
                seconds(&families.rest_took, &[("kind", kind)], *took);
            }
            Measurement::Transferred(result) => one(&families.transfers, &[("result", result)]),
            Measurement::Lag(took) => seconds(&families.step_lag, &[], *took),
            Measurement::Ignored => one(&families.steps_ignored, &[]),
        }
    }

    fn counters(&self) -> &Families {
        &self.0.families
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").field("names", &self.0.names.len()).finish_non_exhaustive()
    }
}

/// Metrics while they are being listed.
struct List {
    registry: Registry,
    names: Vec<String>,
}

impl List {
    /// `name` is the name that scrapers see, without our prefix.
    fn add<M: Metric + Clone>(&mut self, name: &'static str, help: &str, metric: M) -> M {
        // The library adds this to the names of counters by itself.
        let plain = name.strip_suffix("_total").unwrap_or(name);
        self.registry.register(plain, help, metric.clone());
        self.names.push(format!("{PREFIX}_{name}"));
        metric
    }

    fn counters(&mut self, name: &'static str, help: &str) -> Counters {
        self.add(name, help, Counters::default())
    }

    fn seconds(&mut self, name: &'static str, help: &str, bounds: &'static [f64]) -> Histograms {
        self.add(name, help, Histograms::new_with_constructor(Buckets(bounds)))
    }
}

#[rustfmt::skip]
fn families(list: &mut List) -> Families {
    Families {
        calls_begun: list.counters("calls_begun_total", "Calls whose stream was admitted"),
        calls_refused: list.counters("calls_refused_total", "Calls that came in and were not taken"),
        calls_live: list.add("calls_live", "Calls that are going on", Gauge::default()),
        calls_ended: list.counters("calls_ended_total", "Calls that ended"),
        call: list.seconds("call_seconds", "Length of calls", MINUTES),
        streams_refused: list.counters("streams_refused_total", "Streams that were not admitted"),
        turn: list.seconds("turn_seconds", "Parts of the wait for an answer", TALK),
        functions: list.counters("functions_total", "Functions that were settled"),
        function: list.seconds("function_seconds", "How long functions ran", TALK),
        sessions: list.counters("agent_sessions_total", "Agent sessions that listen"),
        sessions_lost: list.counters("agent_sessions_lost_total", "Agent sessions that were lost"),
        session_ready: list.seconds("agent_session_ready_seconds", "Until sessions listen", TALK),
        lines: list.counters("lines_total", "Lines of ours that were asked for"),
        line_ready: list.seconds("line_ready_seconds", "Until lines of ours are at hand", TALK),
        clips: list.counters("clips_total", "Lines that were to be spoken"),
        clips_kept: list.add("clips_kept", "Spoken lines that are kept", Gauge::default()),
        clips_kept_bytes: list.add("clips_kept_bytes", "Bytes of them", Gauge::default()),
        speech: list.counters("speech_total", "Stretches of speech to callers, by their fate"),
        clear: list.seconds("barge_in_seconds", "From the agent's word to clear", QUICK),
        transfers: list.counters("transfers_total", "Transfers that came to their end"),
        step_lag: list.seconds("step_lag_seconds", "From news to its effects", QUICK),
        steps_ignored: list.counters("steps_ignored_total", "News that made no sense"),
        audio_bytes: list.counters("audio_bytes_total", "Bytes of audio that came in"),
        audio_dropped: list.counters("audio_dropped_bytes_total", "Bytes of audio that were dropped"),
        audio_filled: list.add("audio_filled_bytes_total", "Bytes of silence for missing audio", Counter::default()),
        frames_ignored: list.counters("frames_ignored_total", "Messages that nobody could use"),
        queued: list.add("queued_bytes", "Bytes of audio that wait, in all calls", Gauges::default()),
        webhooks: list.counters("http_requests_total", "Requests to our routes"),
        webhook: list.seconds("http_request_seconds", "Until requests were answered", TALK),
        rest: list.counters("carrier_requests_total", "Requests to the carrier that were settled"),
        rest_took: list.seconds("carrier_request_seconds", "Until the carrier answered", TALK),
        store_writes: list.counters("store_writes_total", "Writes to the store"),
        breaker_state: list.add("breaker_state", "1 for how the breaker of a provider stands", Gauges::default()),
        breaker_opened: list.counters("breaker_opened_total", "How often breakers opened"),
        breaker_spared: list.counters("breaker_spared_total", "Requests that open breakers spared"),
        companies: list.add("companies", "Companies that are served", Gauge::default()),
        company_fault: list.add("company_fault", "1 for what is wrong with an active company", Gauges::default()),
        deleted: list.counters("deleted_total", "Calls of which something was deleted in time"),
        sweeps_failed: list.add("sweeps_failed_total", "How often what was due could not be deleted", Counter::default()),
        outbox: list.counters("outbox_total", "Work about calls that are over, by what came of a try"),
        outbox_waiting: list.add("outbox_waiting", "Work about calls that are over that waits", Gauges::default()),
        outbox_oldest: list.add("outbox_oldest_seconds", "How long the oldest of it has waited", Gauges::default()),
        outbox_given_up: list.add("outbox_given_up", "Such work that was given up", Gauges::default()),
        api_refused: list.counters("api_refused_total", "Requests of operators that were refused"),
        operator_deeds: list.counters("operator_deeds_total", "What operators wanted done"),
        log_dropped: list.add("log_lines_dropped_total", "Lines of the log that nobody took", Counter::default()),
        audit_entries: list.counters("audit_entries_total", "Entries of the audit log"),
        audit_well: list.add("audit_well", "1 while the audit log keeps what it is given", Gauge::default()),
        loop_late: list.add("loop_late_seconds", "How late the event loop comes to a timer", Histogram::new(QUICK.iter().copied())),
    }
}

fn of(words: &[(&'static str, &'static str)]) -> Labels {
    words.iter().map(|(name, word)| (*name, Cow::Borrowed(*word))).collect()
}

fn whose(company: &str, language: Language) -> [(&'static str, Cow<'static, str>); 2] {
    [("company", Cow::Owned(company.to_owned())), ("language", Cow::Borrowed(language.tag()))]
}

/// Brings a counter up to a count that is kept elsewhere. Counts do not go back.
fn raise(family: &Counters, words: &[(&'static str, &'static str)], count: u64) {
    let counter = family.get_or_create(&of(words));
    counter.inc_by(count.saturating_sub(counter.get()));
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

const PREFIX: &str = "offhook";

/// The kind of work that sums calls up.
const SUMMARY: &str = "summary";

/// Bounds in seconds, for what a caller waits for. The limits of a call are among them.
const TALK: &[f64] =
    &[0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 20.0];

/// For what should take no time at all. Measured in whole milliseconds.
const QUICK: &[f64] = &[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// For whole calls.
const MINUTES: &[f64] = &[5.0, 15.0, 30.0, 60.0, 120.0, 180.0, 300.0, 600.0, 900.0, 1_800.0];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_documented_and_no_other() {
        let text = include_str!("../../docs/operations.md");
        let row =
            |line: &str| Some(line.strip_prefix("| `offhook_")?.split('`').next()?.to_owned());
        let mut documented: Vec<_> =
            text.lines().filter_map(row).map(|name| format!("{PREFIX}_{name}")).collect();
        let mut counted = Metrics::new().names().to_vec();
        documented.sort();
        counted.sort();
        assert_eq!(documented, counted, "docs/operations.md (left) and the code (right) differ");
    }

    #[test]
    fn a_measurement_is_found_again_under_its_name_and_words() {
        let metrics = Metrics::new();
        let (stage, course) = (measure::Stage::Thinking, measure::Course::Plain);
        let told = Measurement::Turn { stage, course, took: Millis(640) };
        metrics.record("acme", Language::Spanish, &told);
        let text = metrics.text(2, &Kept::default(), &Writes::default(), &[]).unwrap();
        let labels = r#"stage="thinking",course="plain",company="acme",language="es""#;
        for line in [
            format!("offhook_turn_seconds_sum{{{labels}}} 0.64"),
            format!("offhook_turn_seconds_bucket{{le=\"0.5\",{labels}}} 0"),
            format!("offhook_turn_seconds_bucket{{le=\"0.75\",{labels}}} 1"),
            "offhook_calls_live 2".to_owned(),
        ] {
            assert!(text.lines().any(|there| there == line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn what_is_counted_elsewhere_is_raised_and_never_added_twice() {
        let metrics = Metrics::new();
        let kept = Kept { found: 3, asked: 2, failed: 1, clips: 1, bytes: 800 };
        for _ in 0..2 {
            let text = metrics.text(0, &kept, &Writes::default(), &[]).unwrap();
            assert!(text.contains("offhook_clips_total{outcome=\"kept\"} 3\n"), "{text}");
            assert!(text.contains("offhook_clips_kept_bytes 800\n"), "{text}");
        }
    }
}
