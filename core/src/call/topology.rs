//! The statechart: states, regions, who is inside whom, and who handles what.
//!
//! This is a table of exhaustive matches on purpose. A forgotten state does not compile.

use core::fmt;
use core::fmt::Write as _;

use alloc::string::String;

use serde::{Deserialize, Serialize};
use statig::Outcome::{self, Handled, Super};
use statig::StateOrSuperstate;
use statig::blocking::{self, IntoStateMachine};

use super::Draft;
use super::memory::Memory;
use super::timers::Timer;
use crate::input::Input;
use crate::step::{EndReason, Move};

/// What a handler is told.
pub(crate) enum Event<'a> {
    Input(&'a Input),
    Due(Timer),
}

/// A leaf of the statechart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Connecting,
    Greeting,
    Listening,
    Thinking,
    Speaking,
    FunctionPending,
    Reconnecting,
    PlayingTones,
    Farewell { why: EndReason },
    Transferring,
    HangingUp { why: EndReason },
    Ended { why: EndReason },
}

/// A part of the statechart that holds others, and says once what holds for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Region {
    Top,
    InCall,
    Conversing,
    Ending,
}

impl State {
    pub(super) const fn region(self) -> Region {
        match self {
            Self::Connecting | Self::Reconnecting | Self::PlayingTones => Region::InCall,
            Self::Greeting
            | Self::Listening
            | Self::Thinking
            | Self::Speaking
            | Self::FunctionPending => Region::Conversing,
            Self::Farewell { .. } | Self::Transferring | Self::HangingUp { .. } => Region::Ending,
            Self::Ended { .. } => Region::Top,
        }
    }

    pub(crate) const fn phase(self) -> Phase {
        match self {
            Self::Connecting => Phase::Connecting,
            Self::Greeting => Phase::Greeting,
            Self::Listening => Phase::Listening,
            Self::Thinking => Phase::Thinking,
            Self::Speaking => Phase::Speaking,
            Self::FunctionPending => Phase::FunctionPending,
            Self::Reconnecting => Phase::Reconnecting,
            Self::PlayingTones => Phase::PlayingTones,
            Self::Farewell { .. } => Phase::Farewell,
            Self::Transferring => Phase::Transferring,
            Self::HangingUp { .. } => Phase::HangingUp,
            Self::Ended { .. } => Phase::Ended,
        }
    }
}

impl Region {
    const fn parent(self) -> Option<Self> {
        match self {
            Self::Top => None,
            Self::InCall => Some(Self::Top),
            Self::Conversing | Self::Ending => Some(Self::InCall),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Top => "top",
            Self::InCall => "in_call",
            Self::Conversing => "conversing",
            Self::Ending => "ending",
        }
    }
}

/// Where a call stands, as the outside sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Waits for the agent; the opening line may play already.
    Connecting,
    /// The opening line plays, and nothing stops it.
    Greeting,
    /// The caller has the floor. The only phase in which silence counts.
    Listening,
    /// The caller has spoken, and the agent owes a reply.
    Thinking,
    /// Speech of the agent's or ours is on its way to the caller.
    Speaking,
    /// A function runs.
    FunctionPending,
    /// The agent was lost, and another session is being opened.
    Reconnecting,
    /// Tones are played to the other side: our stream has left for them, and comes back.
    PlayingTones,
    /// Goodbye is said.
    Farewell,
    /// A person is to take over: announced, asked for, waited for.
    Transferring,
    /// The carrier was asked to end the call.
    HangingUp,
    /// Over. Nothing leaves this phase.
    Ended,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 12] = [
        Self::Connecting,
        Self::Greeting,
        Self::Listening,
        Self::Thinking,
        Self::Speaking,
        Self::FunctionPending,
        Self::Reconnecting,
        Self::PlayingTones,
        Self::Farewell,
        Self::Transferring,
        Self::HangingUp,
        Self::Ended,
    ];

    /// Whether the call is over.
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Ended)
    }

    const fn state(self) -> State {
        let why = EndReason::AgentHangup;
        match self {
            Self::Connecting => State::Connecting,
            Self::Greeting => State::Greeting,
            Self::Listening => State::Listening,
            Self::Thinking => State::Thinking,
            Self::Speaking => State::Speaking,
            Self::FunctionPending => State::FunctionPending,
            Self::Reconnecting => State::Reconnecting,
            Self::PlayingTones => State::PlayingTones,
            Self::Farewell => State::Farewell { why },
            Self::Transferring => State::Transferring,
            Self::HangingUp => State::HangingUp { why },
            Self::Ended => State::Ended { why },
        }
    }

    /// What this phase is for, in a few words.
    pub const fn purpose(self) -> &'static str {
        match self {
            Self::Connecting => "waits for the agent; the opening may already play",
            Self::Greeting => "until the required opening was heard",
            Self::Listening => "the caller has the floor; silence counts",
            Self::Thinking => "the agent owes a reply",
            Self::Speaking => "until the carrier's mark says played",
            Self::FunctionPending => "a function runs",
            Self::Reconnecting => "hold line; a new session with the conversation so far",
            Self::PlayingTones => "the stream has left for tones, and comes back",
            Self::Transferring => "until the carrier tells the outcome; back if nobody answers",
            Self::Farewell => "until heard, or its deadline",
            Self::HangingUp => "until the carrier confirms, or its deadline",
            Self::Ended => "absorbing",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connecting => "connecting",
            Self::Greeting => "greeting",
            Self::Listening => "listening",
            Self::Thinking => "thinking",
            Self::Speaking => "speaking",
            Self::FunctionPending => "function_pending",
            Self::Reconnecting => "reconnecting",
            Self::PlayingTones => "playing_tones",
            Self::Transferring => "transferring",
            Self::Farewell => "farewell",
            Self::HangingUp => "hanging_up",
            Self::Ended => "ended",
        })
    }
}

/// The statechart as a picture in text, drawn from the tables above. `ARCHITECTURE.md` shows it,
/// and a test holds the two together.
pub fn chart() -> String {
    let mut picture = String::from("top\n");
    draw(&mut picture, Region::Top, "");
    picture
}

fn draw(picture: &mut String, region: Region, indent: &str) {
    let regions = [Region::InCall, Region::Conversing, Region::Ending];
    let leaves = Phase::ALL.into_iter().filter(|phase| phase.state().region() == region);
    let inner = regions.into_iter().filter(|inner| inner.parent() == Some(region));
    // Leaves come first inside a call and last at the top: in the order in which they are lived.
    let mut rows: alloc::vec::Vec<(String, Option<Region>)> = leaves
        .map(|leaf| (alloc::format!("{:<18}{}", alloc::format!("{leaf}"), leaf.purpose()), None))
        .collect();
    let branches = inner.map(|inner| (String::from(inner.name()), Some(inner)));
    if region == Region::Top {
        rows.splice(0..0, branches);
    } else {
        rows.extend(branches);
    }
    let last = rows.len().saturating_sub(1);
    for (number, (text, branch)) in rows.into_iter().enumerate() {
        let (corner, below) =
            if number == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let _ = writeln!(picture, "{indent}{corner}{text}");
        if let Some(branch) = branch {
            draw(picture, branch, &alloc::format!("{indent}{below}"));
        }
    }
}

/// The machine that statig drives: the memory of a call. Handlers are methods of it, in the file
/// of the region they belong to.
pub(crate) struct Machine {
    pub(super) memory: Memory,
    /// The leaf the machine is in. statig tells it to leaves only, and regions decide by it too.
    pub(super) current: State,
}

impl IntoStateMachine for Machine {
    type Event<'evt> = Event<'evt>;
    type Context<'ctx> = Draft;
    type State = State;
    type Superstate<'sub> = Region;

    fn initial() -> State {
        State::Connecting
    }

    /// A timer fires once: it is disarmed before anybody hears of it.
    fn before_dispatch(
        &mut self,
        place: StateOrSuperstate<'_, State, Region>,
        event: &Event<'_>,
        _step: &mut Draft,
    ) {
        if let (StateOrSuperstate::State(_), Event::Due(timer)) = (place, event) {
            self.memory.timers.disarm(*timer);
        }
    }

    fn after_transition(&mut self, source: &State, target: &State, step: &mut Draft) {
        self.current = *target;
        step.moves.push(Move { from: source.phase(), to: target.phase() });
    }
}

impl blocking::State<Machine> for State {
    fn call_handler(
        &mut self,
        machine: &mut Machine,
        event: &Event<'_>,
        step: &mut Draft,
    ) -> Outcome<State> {
        match *self {
            Self::Connecting => machine.connecting(event, step),
            Self::Greeting | Self::FunctionPending => Super,
            Self::Listening => machine.listening(event, step),
            Self::Thinking => machine.thinking(event, step),
            Self::Speaking => machine.speaking(event, step),
            Self::Reconnecting => machine.reconnecting(event, step),
            Self::PlayingTones => machine.playing_tones(event, step),
            Self::Farewell { why } => machine.farewell(event, why, step),
            Self::Transferring => machine.transferring(event, step),
            Self::HangingUp { why } => machine.hanging_up(event, why, step),
            Self::Ended { .. } => machine.ended(event, step),
        }
    }

    fn call_entry_action(&mut self, machine: &mut Machine, step: &mut Draft) {
        match *self {
            Self::Connecting => machine.enter_connecting(step),
            Self::Greeting | Self::Speaking => {}
            Self::Reconnecting => machine.enter_reconnecting(step),
            Self::PlayingTones => machine.enter_playing_tones(step),
            Self::Transferring => machine.enter_transferring(step),
            Self::Listening => machine.enter_listening(step),
            Self::Thinking => machine.enter_thinking(step),
            Self::FunctionPending => machine.enter_function_pending(step),
            Self::Farewell { why } => machine.enter_farewell(why, step),
            Self::HangingUp { why } => machine.enter_hanging_up(why, step),
            Self::Ended { why } => machine.enter_ended(why, step),
        }
    }

    fn call_exit_action(&mut self, machine: &mut Machine, step: &mut Draft) {
        match *self {
            Self::Listening => machine.exit_listening(step),
            Self::Thinking | Self::FunctionPending => machine.exit_waiting(),
            Self::PlayingTones => machine.exit_playing_tones(step),
            Self::Connecting | Self::Reconnecting => machine.exit_waiting(),
            Self::Greeting
            | Self::Speaking
            | Self::Farewell { .. }
            | Self::Transferring
            | Self::HangingUp { .. }
            | Self::Ended { .. } => {}
        }
    }

    fn superstate(&mut self) -> Option<Region> {
        Some(self.region())
    }
}

impl blocking::Superstate<Machine> for Region {
    fn call_handler(
        &mut self,
        machine: &mut Machine,
        event: &Event<'_>,
        step: &mut Draft,
    ) -> Outcome<State> {
        match self {
            Self::Conversing => machine.conversing(event, step),
            Self::Ending => machine.ending(event, step),
            Self::InCall => machine.in_call(event, step),
            Self::Top => {
                step.ignored = true;
                Handled
            }
        }
    }

    fn call_exit_action(&mut self, machine: &mut Machine, _step: &mut Draft) {
        match self {
            Self::Conversing => machine.exit_conversing(),
            Self::Top | Self::InCall | Self::Ending => {}
        }
    }

    fn superstate(&mut self) -> Option<Region> {
        self.parent()
    }
}
