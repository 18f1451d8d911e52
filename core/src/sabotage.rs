//! Deliberate defects, so that whoever judges calls can be shown to notice.
//!
//! Each breaks one invariant of the catalogue (`docs/ids.md`) in a real call, as a slip in the real
//! code would. They are built in by the feature `sabotage` only, and chosen for one call at a time
//! with `Call::sabotaged` and `Playout::sabotaged`; nothing outside of the call knows of them.
//! Without the feature this module is private, and every hook asks a constant that says no.

/// A deliberate defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sabotage {
    /// I-01: a payment that was asked for before, under another id, is made again.
    PaysAgain,
    /// I-11: a caller who stays silent is never said goodbye to.
    WaitsOn,
    /// I-12: we hang up as soon as the farewell begins to play.
    HangsUpEarly,
    /// I-13: what came of a function is not told to the agent that asked for it.
    ForgetsAnswer,
    /// I-14: timers stay armed when the call ends.
    LeavesTimers,
    /// I-15: the clock of the caller's silence runs on while somebody else has the floor.
    CountsSpeech,
    /// I-16: nothing fills a silence of ours, however long something is pending or after a cut.
    SaysNothing,
    /// I-17: the caller's voice does not stop what is being said.
    TalksOn,
    /// I-18: the end of the call is not put on record.
    ForgetsEnd,
    /// I-19: what came of a payment after the end is still told to the agent.
    AnswersLate,
    /// I-20: the caller's words during the end are put on record and then passed on as unhandled.
    HandlesIgnored,
    /// I-21: what is put on record depends on how many calls the process has had.
    CountsCalls,
    /// I-22: a request that comes twice under one id is run twice.
    RunsAgain,
    /// I-24: the agent's session is left open when the call ends.
    LeavesSession,
    /// I-25: of speech whose mark does not come back, nothing is put on record.
    ForgetsSpeech,
    /// I-29: payments are begun without regard to how many run already.
    TakesAll,
    /// I-30: audio of the agent's that is dropped at the gate is not counted.
    ForgetsAudio,
    /// I-34: our lines stay in the language in which the call began.
    KeepsLanguage,
    /// I-35: the carrier is asked twice to hang up.
    HangsUpTwice,
    /// Heard is not said: speech that is cut counts as heard in full.
    HeardAsSaid,
    /// F-HU-08: functions that are asked for during the opening are run at once.
    AsksEarly,
    /// C-07: after a change of language the notice is not said again.
    SkipsNotice,
}

impl Sabotage {
    /// Every defect.
    pub const ALL: [Self; 22] = [
        Self::PaysAgain,
        Self::WaitsOn,
        Self::HangsUpEarly,
        Self::ForgetsAnswer,
        Self::LeavesTimers,
        Self::CountsSpeech,
        Self::SaysNothing,
        Self::TalksOn,
        Self::ForgetsEnd,
        Self::AnswersLate,
        Self::HandlesIgnored,
        Self::CountsCalls,
        Self::RunsAgain,
        Self::LeavesSession,
        Self::ForgetsSpeech,
        Self::TakesAll,
        Self::ForgetsAudio,
        Self::KeepsLanguage,
        Self::HangsUpTwice,
        Self::HeardAsSaid,
        Self::AsksEarly,
        Self::SkipsNotice,
    ];

    /// The invariant that it breaks, as judges name it.
    pub const fn id(self) -> &'static str {
        match self {
            Self::PaysAgain => "I-01",
            Self::WaitsOn => "I-11",
            Self::HangsUpEarly => "I-12",
            Self::ForgetsAnswer => "I-13",
            Self::LeavesTimers => "I-14",
            Self::CountsSpeech => "I-15",
            Self::SaysNothing => "I-16",
            Self::TalksOn => "I-17",
            Self::ForgetsEnd => "I-18",
            Self::AnswersLate => "I-19",
            Self::HandlesIgnored => "I-20",
            Self::CountsCalls => "I-21",
            Self::RunsAgain => "I-22",
            Self::LeavesSession => "I-24",
            Self::ForgetsSpeech => "I-25",
            Self::TakesAll => "I-29",
            Self::ForgetsAudio => "I-30",
            Self::KeepsLanguage => "I-34",
            Self::HangsUpTwice => "I-35",
            Self::HeardAsSaid => "heard is not said",
            Self::AsksEarly => "F-HU-08",
            Self::SkipsNotice => "C-07",
        }
    }

    /// The defect that breaks an invariant; nothing if there is none for it.
    pub fn of_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sabotage| sabotage.id() == id)
    }
}

/// The defect that a part of a call has: none, unless the feature is built in and one was chosen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Defect {
    #[cfg(feature = "sabotage")]
    chosen: Option<Sabotage>,
}

impl Defect {
    pub(crate) const NONE: Self = Self {
        #[cfg(feature = "sabotage")]
        chosen: None,
    };

    #[cfg(feature = "sabotage")]
    pub(crate) const fn of(sabotage: Sabotage) -> Self {
        Self { chosen: Some(sabotage) }
    }

    /// The defect of a new call. One of them comes and goes with every other call, which is what
    /// is wrong with it.
    #[cfg(feature = "sabotage")]
    pub(crate) fn of_call(sabotage: Sabotage) -> Self {
        use core::sync::atomic::{AtomicU32, Ordering};
        static CALLS: AtomicU32 = AtomicU32::new(0);
        let spared = sabotage == Sabotage::CountsCalls
            && !CALLS.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
        if spared { Self::NONE } else { Self::of(sabotage) }
    }

    /// Whether it is this one.
    #[cfg(feature = "sabotage")]
    pub(crate) fn is(self, sabotage: Sabotage) -> bool {
        self.chosen == Some(sabotage)
    }

    /// Whether it is this one: never, because none is built in.
    #[cfg(not(feature = "sabotage"))]
    pub(crate) const fn is(self, _: Sabotage) -> bool {
        false
    }
}
