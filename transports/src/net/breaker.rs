//! A breaker for each provider: what is known to be down is not waited for.
//!
//! A caller who waits for a provider that has failed everybody else hears nothing meanwhile, and
//! then comes to the next best thing anyway. So after some failures in a row nobody asks any more for
//! a while. Then one of those who come by tries it out for all, and its success closes the breaker.
//!
//! Only what may be left undone goes by a breaker. Finding out what became of a request that may
//! have arrived does not.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Error, chance};

/// So many failures in a row, of all calls together, open a breaker.
const FAILURES_MAX: u32 = 5;

/// How long nobody asks, at first and at most. Each try that fails doubles it.
const PAUSE: Duration = Duration::from_secs(5);
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// So much of each pause is waited for, in hundredths; chance says how much.
const PAUSE_PERCENT: RangeInclusive<u32> = 80..=120;

/// Somebody who gave up waiting after this long has seen a failure, too.
const PATIENCE: Duration = Duration::from_secs(3);

/// Keeps everybody from waiting for a provider that is known to be down.
pub struct Breaker {
    provider: &'static str,
    state: Mutex<State>,
}

/// How a breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The provider is asked.
    Closed,
    /// Somebody tries it out, and nobody else asks.
    HalfOpen,
    /// Nobody asks.
    Open,
}

impl Standing {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half-open",
            Self::Open => "open",
        }
    }
}

/// How a breaker stands, and what it did so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerReport {
    /// How it stands.
    pub standing: Standing,
    /// How often it opened.
    pub opened: u64,
    /// How many requests were not made because of it.
    pub spared: u64,
}

/// What a request told about the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is there, whatever it answered.
    Well,
    /// It failed, perhaps for a moment.
    Failed,
    /// It refuses, and would refuse everybody: for so long, where it says so.
    Refuses(Option<Duration>),
}

impl Verdict {
    /// What the outcome of a request tells.
    pub(super) fn of<T>(outcome: &Result<T, Error>) -> Self {
        match outcome {
            Err(Error::Refused { status, retry_after, .. }) => {
                Self::of_status(*status, *retry_after)
            }
            Err(Error::Unreachable { .. } | Error::TimedOut { .. } | Error::Garbled { .. }) => {
                Self::Failed
            }
            // The others are ours, and tell nothing of the provider that should keep others away.
            Ok(_) | Err(_) => Self::Well,
        }
    }

    /// What the status of an answer tells. `retry_after` is what the provider says of the next try.
    pub(super) fn of_status(status: u16, retry_after: Option<Duration>) -> Self {
        match status {
            401 | 403 => Self::Refuses(None),
            429 | 503 if retry_after.is_some() => Self::Refuses(retry_after),
            429 | 500..=599 => Self::Failed,
            _ => Self::Well,
        }
    }
}

impl Breaker {
    pub(super) fn new(provider: &'static str) -> Self {
        Self { provider, state: Mutex::default() }
    }

    /// Leave to ask the provider; nothing while it is known to be down. What came of the request is
    /// told to what is returned.
    pub(super) fn ask(&self) -> Option<Asking<'_>> {
        let now = Instant::now();
        let turn = self.state().ask(now)?;
        Some(Asking { breaker: self, turn, since: now, is_told: false })
    }

    /// How the breaker stands now.
    pub fn report(&self) -> BreakerReport {
        let state = self.state();
        BreakerReport { standing: state.standing, opened: state.opened, spared: state.spared }
    }

    fn tell(&self, turn: Turn, verdict: Verdict) {
        let percent = chance(PAUSE_PERCENT);
        let mut state = self.state();
        let before = state.standing;
        state.take_in(turn, verdict, Instant::now(), percent);
        let (after, provider) = (state.standing, self.provider);
        drop(state);
        match (before, after) {
            (Standing::Closed, Standing::Open) => {
                tracing::error!(provider, "down: nobody waits for it until it was tried out");
            }
            (Standing::Open | Standing::HalfOpen, Standing::Closed) => {
                tracing::info!(provider, "there again");
            }
            _ => {}
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No change to it panics half way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaker").field("provider", &self.provider).finish_non_exhaustive()
    }
}

/// A request on its way. If it is dropped without a word, it was given up: after some time that is
/// a failure, before that it tells nothing.
pub(super) struct Asking<'a> {
    breaker: &'a Breaker,
    turn: Turn,
    since: Instant,
    is_told: bool,
}

impl Asking<'_> {
    /// What came of it.
    pub(super) fn tell(mut self, verdict: Verdict) {
        self.is_told = true;
        self.breaker.tell(self.turn, verdict);
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        if self.is_told {
            return;
        }
        if self.since.elapsed() >= PATIENCE {
            self.breaker.tell(self.turn, Verdict::Failed);
        } else {
            self.breaker.state().give_back(self.turn);
        }
    }
}

/// Whether a request is one of many or tries the provider out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    OneOfMany,
    /// By its number, so that a try that ended late is not taken for the one that runs.
    Try(u64),
}

#[derive(Debug)]
struct State {
    standing: Standing,
    /// In a row.
    failures: u32,
    /// The next pause, before chance varies it.
    pause: Duration,
    /// While open: when it may be tried out.
    until: Option<Instant>,
    tries: u64,
    opened: u64,
    spared: u64,
}

impl Default for State {
    fn default() -> Self {
        let (standing, pause) = (Standing::Closed, PAUSE);
        Self { standing, failures: 0, pause, until: None, tries: 0, opened: 0, spared: 0 }
    }
}

impl State {
    fn ask(&mut self, now: Instant) -> Option<Turn> {
        match self.standing {
            Standing::Closed => Some(Turn::OneOfMany),
            Standing::Open if self.until.is_none_or(|until| until <= now) => {
                self.standing = Standing::HalfOpen;
                self.tries += 1;
                Some(Turn::Try(self.tries))
            }
            Standing::Open | Standing::HalfOpen => {
                self.spared += 1;
                None
            }
        }
    }

    fn take_in(&mut self, turn: Turn, verdict: Verdict, now: Instant, percent: u32) {
        match (verdict, self.standing) {
            // Whoever has an answer has proof, however long ago the question was asked.
            (Verdict::Well, _) => {
                self.standing = Standing::Closed;
                self.failures = 0;
                self.pause = PAUSE;
            }
            (Verdict::Failed, Standing::Closed) => {
                self.failures += 1;
                if self.failures >= FAILURES_MAX {
                    self.open(None, now, percent);
                }
            }
            (Verdict::Refuses(wait), Standing::Closed) => self.open(wait, now, percent),
            (Verdict::Failed, Standing::HalfOpen) if self.is_running(turn) => {
                self.open(None, now, percent);
            }
            (Verdict::Refuses(wait), Standing::HalfOpen) if self.is_running(turn) => {
                self.open(wait, now, percent);
            }
            // Requests that were on their way when it opened tell what is known.
            (Verdict::Failed | Verdict::Refuses(_), Standing::Open | Standing::HalfOpen) => {}
        }
    }

    /// A try that came to nothing leaves its turn to the next who asks.
    fn give_back(&mut self, turn: Turn) {
        if self.standing == Standing::HalfOpen && self.is_running(turn) {
            self.standing = Standing::Open;
        }
    }

    fn is_running(&self, turn: Turn) -> bool {
        turn == Turn::Try(self.tries)
    }

    fn open(&mut self, wait: Option<Duration>, now: Instant, percent: u32) {
        if self.standing == Standing::Closed {
            self.opened += 1;
        }
        let varied = self.pause * percent / 100;
        // Nobody is believed who wants to be left alone for hours.
        let pause = wait.map_or(varied, |wait| varied.max(wait.min(PAUSE_MAX)));
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        self.standing = Standing::Open;
        self.until = Some(now + pause);
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No chance at all.
    const PLAIN: u32 = 100;

    fn failed(state: &mut State, times: u32, now: Instant) {
        for _ in 0..times {
            let turn = state.ask(now).expect("it is asked");
            state.take_in(turn, Verdict::Failed, now, PLAIN);
        }
    }

    /// F-MW-19.
    #[test]
    fn failures_in_a_row_open_it_and_one_success_between_does_not() {
        let (mut state, now) = (State::default(), Instant::now());
        failed(&mut state, FAILURES_MAX - 1, now);
        state.take_in(Turn::OneOfMany, Verdict::Well, now, PLAIN);
        failed(&mut state, FAILURES_MAX - 1, now);
        assert_eq!(state.standing, Standing::Closed);
        failed(&mut state, 1, now);
        assert_eq!(state.standing, Standing::Open);
        assert_eq!(state.ask(now + PAUSE - Duration::from_millis(1)), None);
        assert_eq!((state.opened, state.spared), (1, 1));
    }

    #[test]
    fn one_asks_for_all_when_the_pause_is_over_and_its_success_closes_it() {
        let (mut state, now) = (State::default(), Instant::now());
        failed(&mut state, FAILURES_MAX, now);
        let now = now + PAUSE;
        let turn = state.ask(now).expect("somebody tries it out");
        assert_eq!((state.standing, state.ask(now)), (Standing::HalfOpen, None));
        // One that was on its way before is not the one that tries.
        state.take_in(Turn::OneOfMany, Verdict::Failed, now, PLAIN);
        assert_eq!(state.standing, Standing::HalfOpen);
        state.take_in(turn, Verdict::Well, now, PLAIN);
        assert_eq!((state.standing, state.ask(now)), (Standing::Closed, Some(Turn::OneOfMany)));
    }

    #[test]
    fn each_try_that_fails_doubles_the_pause_up_to_its_limit() {
        let (mut state, mut now) = (State::default(), Instant::now());
        failed(&mut state, FAILURES_MAX, now);
        for pause in [5, 10, 20, 40, 60, 60].map(Duration::from_secs) {
            assert_eq!(state.until, Some(now + pause));
            assert_eq!(state.ask(now + pause - Duration::from_millis(1)), None);
            now += pause;
            failed(&mut state, 1, now);
        }
        assert_eq!(state.opened, 1, "it was never closed in between");
    }

    #[test]
    fn a_try_that_was_given_up_is_made_by_the_next_who_asks() {
        let (mut state, now) = (State::default(), Instant::now());
        failed(&mut state, FAILURES_MAX, now);
        let now = now + PAUSE;
        let given_up = state.ask(now).expect("somebody tries it out");
        state.give_back(given_up);
        let second = state.ask(now).expect("the next one tries it out");
        state.give_back(given_up);
        assert_eq!(state.standing, Standing::HalfOpen, "the second try still runs");
        state.take_in(second, Verdict::Well, now, PLAIN);
        assert_eq!(state.standing, Standing::Closed);
    }

    /// F-DG-02, F-TR-05, F-MW-14: a key that is refused once is refused every time.
    #[test]
    fn a_refusal_that_everybody_would_get_opens_it_at_once() {
        for status in [401, 403] {
            let (mut state, now) = (State::default(), Instant::now());
            state.take_in(Turn::OneOfMany, Verdict::of_status(status, None), now, PLAIN);
            assert_eq!(state.standing, Standing::Open);
        }
        for status in [200, 302, 400, 404, 422] {
            assert_eq!(Verdict::of_status(status, None), Verdict::Well, "{status}: it is there");
        }
    }

    /// F-MW-15.
    #[test]
    fn who_says_when_to_come_again_is_believed_within_reason() {
        let seconds = Duration::from_secs;
        for (asked, pause) in [(30, 30), (1, 5), (86_400, 60)] {
            let (mut state, now) = (State::default(), Instant::now());
            let verdict = Verdict::of_status(429, Some(seconds(asked)));
            state.take_in(Turn::OneOfMany, verdict, now, PLAIN);
            assert_eq!(state.until, Some(now + seconds(pause)));
        }
        assert_eq!(Verdict::of_status(429, None), Verdict::Failed);
    }

    #[test]
    fn chance_varies_a_pause_by_a_fifth_either_way() {
        let (least, most) = PAUSE_PERCENT.into_inner();
        for (percent, pause_ms) in [(least, 4_000), (PLAIN, 5_000), (most, 6_000)] {
            let (mut state, now) = (State::default(), Instant::now());
            state.take_in(Turn::OneOfMany, Verdict::Refuses(None), now, percent);
            assert_eq!(state.until, Some(now + Duration::from_millis(pause_ms)));
        }
    }

    #[test]
    fn who_gave_up_after_long_has_seen_a_failure_and_who_left_early_has_not() {
        let breaker = Breaker::new("a provider");
        for _ in 0..2 * FAILURES_MAX {
            drop(breaker.ask());
        }
        assert_eq!(breaker.report().standing, Standing::Closed);
        for _ in 0..FAILURES_MAX {
            let mut asking = breaker.ask().expect("it is asked");
            asking.since = Instant::now().checked_sub(PATIENCE).expect("time enough before us");
        }
        assert_eq!(breaker.report().standing, Standing::Open);
    }
}
