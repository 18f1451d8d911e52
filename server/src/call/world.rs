//! The world as the call machine sees it: what happens next, and effects carried out.

use std::collections::BTreeMap;
use std::future::{Future as _, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::ws::WebSocket;
use call_core::input::{AgentLoss, Carrier, Operator};
use call_core::{Brief, CallTime, Input, Language, Millis, Step, Stimulus, World};
use call_transports::bridge::{Bridge, Outlet};
use call_transports::twilio::Sid;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::carrier::CarrierLeg;
use super::clock::Clock;
use super::departure::waits_for_carrier;
use super::hygiene::Hygiene;
use super::jobs::{Done, Jobs};
use super::out::Out;
use super::recorder::Recorder;
use super::view::{Showing, View};
use super::wakes::{Part, Wakes};
use super::{Departure, News, Services, Watch, log};
use crate::audit::CallAudit;
use crate::metrics::{CallMeter, Depths, Tally};
use crate::spool::Journal;

mod effects;
mod sides;

/// So many frames are taken in one go; then other calls have a turn. An agent sends a sentence faster
/// than it is spoken, and every other call's next frame waits for as much of it as is taken at once.
const FRAMES_MAX: u32 = 8;

/// So many steps are the longest journal: eleven a second for half an hour. A lively call takes one
/// or two.
const STEPS_MAX: usize = 20_000;

/// So many bytes is the longest journal, written as lines: eight thousand a second for half an hour. A
/// lively call takes some hundreds.
const JOURNAL_BYTES_MAX: usize = 16 << 20;

/// Closing the sockets takes no longer than this, and waiting for the carrier to close its own.
pub(super) const LEAVE: Duration = Duration::from_secs(1);

/// What the world calls things.
pub(super) struct Names {
    /// The call.
    pub(super) call: Sid,
    /// What it was told at its beginning.
    pub(super) wording: Brief,
    /// Its stream.
    pub(super) stream: String,
    /// The voices of our own lines.
    pub(super) voices: BTreeMap<Language, String>,
    /// Cancelled when the carrier's callbacks say that the call is over.
    pub(super) over: CancellationToken,
    /// What reaches the call beside its sockets.
    pub(super) news: mpsc::Receiver<News>,
    /// How it is seen from outside.
    pub(super) view: View,
    /// What its stream can leave for.
    pub(super) departure: Box<dyn Departure>,
    /// Its recording, if it is recorded.
    pub(super) recorder: Option<Recorder>,
    /// Where its steps are written down as they happen; nowhere if nothing.
    pub(super) journal: Option<Journal>,
    /// Keeps on record what is decided in it.
    pub(super) audit: CallAudit,
}

/// A call on real sockets and a real clock.
pub(super) struct Live {
    pub(super) call: Sid,
    /// What it was told at its beginning: the company's own words are in it.
    wording: Brief,
    voices: BTreeMap<Language, String>,
    /// Ready when the carrier's callbacks say that the call is over; nothing once they have.
    over: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    pub(super) news: mpsc::Receiver<News>,
    pub(super) departure: Box<dyn Departure>,
    recorder: Option<Recorder>,
    clock: Clock,
    pub(super) wakes: Wakes,
    pub(super) bridge: Bridge,
    pub(super) out: Out,
    pub(super) jobs: Jobs,
    services: Arc<Services>,
    pub(super) carrier_hygiene: Hygiene,
    agent_hygiene: Hygiene,
    /// The carrier's audio is decoded into this.
    scratch: Vec<u8>,
    /// When the bridge was woken last.
    woken_at: Option<CallTime>,
    /// How many more frames are taken before others have a turn.
    frames_left: u32,
    steps: Vec<Step>,
    /// How long they are as lines.
    journal_bytes: usize,
    /// Where its steps are written down as they happen.
    journal: Option<Journal>,
    watch: Option<Watch>,
    meter: CallMeter,
    showing: Showing,
}

impl World for Live {
    async fn next(&mut self, deadline: Option<CallTime>) -> Stimulus {
        // The machine has been told something, and what it wanted was done.
        self.wakes.all();
        poll_fn(|cx| self.poll_next(cx, deadline)).await
    }

    async fn perform(&mut self, step: Step) {
        let now = self.tick();
        if step.moves.iter().any(|change| waits_for_carrier(change.from)) {
            self.given_up();
        }
        for effect in &step.effects {
            self.bridge.perform(now, effect, &mut self.out);
            self.carry_out(effect);
        }
        self.keep(step);
    }
}

impl Live {
    /// A world around a carrier's socket. Its time begins now.
    pub(super) fn new(
        socket: WebSocket,
        names: Names,
        bridge: Bridge,
        services: Arc<Services>,
        watch: Option<Watch>,
    ) -> Self {
        let Names {
            call,
            wording,
            stream,
            voices,
            over,
            news,
            view,
            departure,
            recorder,
            journal,
            audit,
        } = names;
        let company = wording.company.as_str().into();
        Self {
            call,
            wording,
            voices,
            over: Some(Box::pin(over.cancelled_owned())),
            news,
            departure,
            recorder,
            clock: Clock::start(),
            wakes: Wakes::new(),
            bridge,
            out: Out::new(CarrierLeg::new(socket, stream), audit),
            jobs: Jobs::new(Arc::clone(&services), company),
            meter: CallMeter::new(&services.metrics),
            services,
            carrier_hygiene: Hygiene::default(),
            agent_hygiene: Hygiene::default(),
            scratch: Vec::new(),
            woken_at: None,
            frames_left: FRAMES_MAX,
            steps: Vec::new(),
            journal_bytes: 0,
            journal,
            watch,
            showing: Showing::of(view),
        }
    }

    /// Closes what is still open and hands over the journal.
    pub(super) async fn leave(mut self: Box<Self>) -> Vec<Step> {
        let closed = timeout(LEAVE, poll_fn(|cx| self.out.poll_close(cx))).await;
        let (order, _) = self.bridge.caller_order();
        tracing::info!(
            lasted = %self.clock.now(),
            steps = self.steps.len(),
            closed_in_time = closed.is_ok(),
            ignored_of_carrier = self.carrier_hygiene.ignored(),
            ignored_of_agent = self.agent_hygiene.ignored(),
            shed_to_carrier = self.out.carrier.shed_bytes(),
            overflowed_to_carrier = self.bridge.speech_to_caller().0.overflowed,
            reordered_of_carrier = order.reordered,
            repeated_of_carrier = order.repeated,
            late_of_carrier = order.late,
            gaps_of_carrier = order.gaps,
            shed_to_agent = self.out.agent.shed_bytes(),
            "the call is over"
        );
        self.meter.over(&self.bridge, &self.tally());
        // The call is over and nobody should wait for its socket.
        let mut carrier = self.out.carrier;
        tokio::spawn(timeout(LEAVE, poll_fn(move |cx| carrier.poll_closed(cx))));
        self.steps
    }

    fn poll_next(&mut self, cx: &mut Context<'_>, deadline: Option<CallTime>) -> Poll<Stimulus> {
        self.wakes.gather(cx);
        loop {
            let now = self.tick();
            if let Some((at, input)) = self.out.inputs.pop_front() {
                return Poll::Ready(Stimulus::Input(at, input));
            }
            if deadline.is_some_and(|due| due <= now) {
                return Poll::Ready(Stimulus::Due(now));
            }
            self.wake_bridge(now);
            let jobs = self.poll_jobs();
            let sockets = self.poll_agent(now) | self.poll_carrier(now);
            let aside = self.poll_over(now) | self.poll_line();
            if jobs || aside {
                // Another stream may have come, or another session.
                self.wakes.all();
            }
            if jobs || aside || sockets || !self.out.inputs.is_empty() {
                continue;
            }
            self.flush(now);
            if self.frames_left == 0 {
                cx.waker().wake_by_ref();
            } else {
                let next = self.deadline(deadline);
                if self.clock.poll_until(cx, next).is_ready() {
                    continue;
                }
            }
            self.frames_left = FRAMES_MAX;
            return Poll::Pending;
        }
    }

    /// Writes what waits for the sockets, as far as they take it.
    fn flush(&mut self, now: CallTime) {
        let Self { wakes, out, bridge, .. } = self;
        let cx = &mut wakes.context(Part::Carrier);
        out.carrier.poll_flush(cx, now);
        bridge.carrier_blocked(now, out.carrier.blocked_since());
        out.poll_part(cx);
        out.agent.poll_flush(&mut wakes.context(Part::Agent));
    }

    fn tick(&mut self) -> CallTime {
        self.out.now = self.clock.now();
        self.out.now
    }

    fn wake_bridge(&mut self, now: CallTime) {
        if self.bridge_timeout().is_some_and(|due| due <= now) {
            self.woken_at = Some(now);
            self.bridge.wake(now, &mut self.out);
            self.meter.waits(self.depths());
        }
    }

    /// When the bridge wants to be woken. It is woken once a millisecond at most, so that a part
    /// that is never content cannot hold the task.
    fn bridge_timeout(&self) -> Option<CallTime> {
        let due = self.bridge.poll_timeout()?;
        Some(self.woken_at.map_or(due, |woken| due.max(woken + Millis(1))))
    }

    fn deadline(&self, of_machine: Option<CallTime>) -> Option<CallTime> {
        self.bridge_timeout().into_iter().chain(of_machine).min()
    }

    fn poll_jobs(&mut self) -> bool {
        if !self.wakes.is_due(Part::Jobs) {
            return false;
        }
        let Poll::Ready(done) = self.jobs.poll_next(&mut self.wakes.context(Part::Jobs)) else {
            self.wakes.settle(Part::Jobs);
            return false;
        };
        match done {
            Done::Line(utterance, clip) => self.bridge.line_ready(utterance, clip, &mut self.out),
            Done::Function(ended) => self.bridge.function_ended(ended, &mut self.out),
            Done::HungUp(how) => self.out.input(Input::Carrier(Carrier::HungUp(how))),
            Done::Redirected(errand, outcome) => self.redirected(errand, outcome),
            Done::Forgotten => {}
        }
        true
    }

    /// The carrier's callbacks may say that the call is over before its stream does.
    fn poll_over(&mut self, now: CallTime) -> bool {
        let Some(over) = self.over.as_mut().filter(|_| self.wakes.is_due(Part::Over)) else {
            return false;
        };
        if over.as_mut().poll(&mut self.wakes.context(Part::Over)).is_pending() {
            self.wakes.settle(Part::Over);
            return false;
        }
        self.over = None;
        self.bridge.call_over(now, &mut self.out);
        true
    }

    fn keep(&mut self, mut step: Step) {
        log::tell(&step);
        self.showing.step(&step);
        self.out.audit.step(&step);
        let had_room = self.has_room();
        if let Some(journal) = &mut self.journal {
            self.journal_bytes += journal.write(&step);
        }
        self.meter.step(&step, self.clock.now());
        self.meter.waits(self.depths());
        if let Some(watch) = self.watch.as_ref().filter(|watch| watch.receiver_count() > 0) {
            // Nobody listening any more is no fault.
            let _ = watch.send((self.call.to_string(), Arc::new(step.clone())));
        }
        // It stays until the call is over, and has room for more than it holds.
        step.moves.shrink_to_fit();
        step.facts.shrink_to_fit();
        step.effects.shrink_to_fit();
        self.steps.push(step);
        if had_room && !self.has_room() {
            self.stop_growing();
        }
    }

    fn has_room(&self) -> bool {
        self.steps.len() < STEPS_MAX && self.journal_bytes < JOURNAL_BYTES_MAX
    }

    /// The journal is kept in memory until the call is over, and this one has grown as no
    /// conversation does (F-PR-05). The agent is the one who can say so much.
    fn stop_growing(&mut self) {
        let (steps, bytes) = (self.steps.len(), self.journal_bytes);
        tracing::error!(steps, bytes, "a call is ended because its journal grows too long");
        self.out.input(Input::Operator(Operator::HangUp));
        self.lose_agent(AgentLoss::Closed);
    }

    /// How much audio waits, and where.
    fn depths(&self) -> Depths {
        let carrier_socket = self.out.carrier.waiting_bytes();
        let agent_socket = self.out.agent.waiting_bytes();
        Depths { carrier_socket, agent_socket, ..Depths::of(&self.bridge) }
    }

    fn tally(&self) -> Tally {
        Tally {
            shed_to_carrier: self.out.carrier.shed_bytes(),
            shed_to_agent: self.out.agent.shed_bytes(),
            ignored_of_carrier: self.carrier_hygiene.ignored(),
            ignored_of_agent: self.agent_hygiene.ignored(),
        }
    }
}
