//! What can go wrong in a call: the misdeeds of the cast. A scenario lists some; the swarm draws
//! others.

use serde::{Deserialize, Serialize};

/// One misdeed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Fault {
    /// The agent's provider refuses the n-th session with this HTTP status (F-DG-01 to 03).
    AgentRefuses {
        /// Which session, from 1.
        session: u32,
        /// HTTP status; 0 stands for no answer at all.
        status: u16,
    },
    /// The n-th session is opened and never greets us (F-DG-04).
    AgentNoWelcome {
        /// Which session, from 1.
        session: u32,
    },
    /// The n-th session never accepts its settings (F-DG-05).
    AgentNeverReady {
        /// Which session, from 1.
        session: u32,
    },
    /// The n-th session is opened and accepts its settings late (F-DG-05).
    AgentSlow {
        /// Which session, from 1.
        session: u32,
        /// How long it takes to be opened, in milliseconds.
        connect_ms: u64,
        /// From the settings to their acceptance, in milliseconds.
        applied_ms: u64,
    },
    /// The session ends without a word (F-DG-08).
    AgentGone {
        /// When.
        when: When,
        /// So many milliseconds later.
        after_ms: u64,
    },
    /// The session ends with an error (F-DG-06, F-DG-07).
    AgentError {
        /// When.
        when: When,
        /// So many milliseconds later.
        after_ms: u64,
        /// The provider's error code.
        code: String,
    },
    /// The provider warns (F-DG-24).
    AgentWarns {
        /// When.
        when: When,
        /// The provider's warning code.
        code: String,
    },
    /// `AgentAudioDone` never comes (F-DG-11).
    AgentOmitsDone,
    /// `AgentAudioDone` comes twice (F-DG-12).
    AgentRepeatsDone,
    /// It comes also behind each barge-in, for the reply that was cut (F-DG-12).
    AgentDoneLate,
    /// After each barge-in so many frames of the cut reply still come (F-DG-28).
    AgentSendsLate {
        /// How many.
        frames: u32,
    },
    /// After each barge-in the words of the sentence that would have followed still come (F-DG-28).
    AgentSaysLate,
    /// A session that takes over tells us the conversation that it was given (F-DG-30).
    AgentTellsHistory,
    /// Every function request comes twice, under the same id (F-DG-16).
    AgentRepeatsCalls,
    /// Every write is asked for once more, under another id (F-DG-17).
    AgentAsksAgain,
    /// Every function request is taken back after so many milliseconds, whether or not anybody
    /// speaks, and also when it was answered before (F-DG-22).
    AgentCancels {
        /// How many.
        after_ms: u64,
    },
    /// Messages of unknown types come in between (F-DG-26).
    AgentMumbles,
    /// The n-th reply never comes.
    AgentSilent {
        /// Which reply, from 1.
        reply: u32,
    },
    /// The marks from the n-th on are not echoed (F-TW-20).
    MarksLost {
        /// Which mark is the first, from 1.
        from: u32,
        /// How many are lost.
        count: u32,
    },
    /// Every mark is echoed twice (F-TW-22).
    MarksTwice,
    /// Behind every mark come others that were never sent (F-TW-22).
    MarksUnknown,
    /// Marks that come back together, because of a clear, come the last one first (F-TW-21).
    MarksShuffled,
    /// The stream ends without a word at this time (F-TW-08).
    StreamBreaks {
        /// Milliseconds since the stream began.
        at_ms: u64,
    },
    /// Frames of the caller's come twice (F-TW-05).
    FramesTwice {
        /// Which frame is the first, from 1.
        from: u64,
        /// How many.
        count: u64,
    },
    /// Frames of the caller's come together, in their order: what they would be without the
    /// disorder of `FramesShuffled`.
    FramesBunched {
        /// Which frame is the first, from 1.
        from: u64,
        /// How many.
        count: u64,
        /// How many come together.
        by: u64,
    },
    /// Frames of the caller's come together, the last one first (F-TW-06).
    FramesShuffled {
        /// Which frame is the first, from 1.
        from: u64,
        /// How many.
        count: u64,
        /// How many come together.
        by: u64,
    },
    /// Frames of the caller's come late, and those behind them in time (F-TW-06).
    FramesLate {
        /// Which frame is the first, from 1.
        from: u64,
        /// How many.
        count: u64,
        /// How late, in milliseconds. More than 100 is too late.
        late_ms: u64,
    },
    /// Frames of the caller's never come (F-TW-07).
    FramesLost {
        /// Which frame is the first, from 1.
        from: u64,
        /// How many.
        count: u64,
    },
    /// Every key is reported twice, in the same words (F-TW-23).
    KeysTwice,
    /// From this time on nothing comes through the stream, in either direction, and nobody is told
    /// (F-TW-09).
    HalfOpen {
        /// Milliseconds since the stream began.
        at_ms: u64,
    },
    /// The carrier does not read what it is sent, for so long (F-TW-26).
    CarrierBlocks {
        /// Milliseconds since the stream began.
        at_ms: u64,
        /// For how many milliseconds.
        for_ms: u64,
    },
    /// Requests to hang up are refused (F-TR-02 to 06).
    HangUpRefused {
        /// HTTP status.
        status: u16,
        /// How many in a row.
        times: u32,
    },
    /// Requests to transfer are refused (F-TR-02 to 06).
    TransferRefused {
        /// HTTP status.
        status: u16,
        /// How many in a row; all of them, if it says nothing.
        #[serde(default = "always")]
        times: u32,
    },
    /// Requests to transfer that are carried out are not answered (F-TR-09).
    TransferReplyLost,
    /// Every request is answered so late, and carried out in time (F-TR-01, F-TR-10).
    RestSlow {
        /// Milliseconds.
        ms: u64,
    },
    /// Transfers come to nothing (F-TR-07).
    TransferFails {
        /// How.
        how: Unanswered,
        /// After how much ringing.
        rings_ms: u64,
    },
    /// The caller hangs up while a person's telephone rings (S19).
    CallerGoneInTransfer {
        /// So many milliseconds after the stream ended for it.
        after_ms: u64,
    },
    /// Requests to play tones are refused (F-TR-02 to 06).
    TonesRefused {
        /// HTTP status.
        status: u16,
        /// How many in a row; all of them, if it says nothing.
        #[serde(default = "always")]
        times: u32,
    },
    /// The tones are played, and no new stream comes behind them (F-TW-29).
    TonesNoReturn,
    /// The caller hangs up while tones are played, where there is no stream to say so.
    CallerGoneInTones {
        /// So many milliseconds after the stream ended for them.
        after_ms: u64,
    },
    /// The stream's `stop` comes late, whatever ended it (F-WH-13, F-TR-12).
    StopLate {
        /// By so many milliseconds.
        ms: u64,
    },
    /// Every status callback comes so late.
    CallbacksLate {
        /// By so many milliseconds.
        ms: u64,
    },
    /// Status callbacks of every kind come, each twice and in the wrong order (F-WH-04, F-WH-05).
    CallbacksDisordered,
    /// No status callback ever comes (F-WH-14).
    CallbacksLost,
    /// Our lines from the n-th on cannot be spoken.
    SpeakFails {
        /// Which line is the first, from 1.
        from: u32,
        /// How many fail.
        count: u32,
    },
    /// Speaking a line of ours takes so long.
    SpeakSlow {
        /// Milliseconds.
        ms: u64,
    },
    /// The agent's provider refuses the lines that we inject, from the n-th on (F-DG-23).
    InjectionRefused {
        /// Which is the first, from 1.
        from: u32,
        /// How many are refused.
        count: u32,
    },
    /// The agent's provider neither says nor refuses them (F-DG-23).
    InjectionIgnored {
        /// Which is the first, from 1.
        from: u32,
        /// How many are ignored.
        count: u32,
    },
}

/// More often than anything is asked for.
const fn always() -> u32 {
    u32::MAX
}

/// A moment of a call, as the agent sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum When {
    /// The n-th session was told its settings, and has not accepted them.
    Settling(u32),
    /// The n-th reply begins to be spoken, from 1.
    Speaking(u32),
    /// The caller begins to speak for the n-th time.
    Hearing(u32),
    /// The n-th function is asked for.
    Asking(u32),
}

/// Why nobody took a transferred call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unanswered {
    /// Busy.
    Busy,
    /// It rang.
    NoAnswer,
    /// It could not be called.
    Failed,
}

impl Fault {
    /// The ids of the fault catalogue that this misdeed injects.
    pub fn ids(&self) -> &'static [&'static str] {
        match self {
            Self::AgentRefuses { status: 0, .. } => &["F-DG-01"],
            Self::AgentRefuses { status: 429, .. } => &["F-DG-03"],
            Self::AgentRefuses { .. } => &["F-DG-02"],
            Self::AgentNoWelcome { .. } => &["F-DG-04"],
            Self::AgentNeverReady { .. } | Self::AgentSlow { .. } => &["F-DG-05"],
            Self::AgentGone { .. } => &["F-DG-08"],
            Self::AgentError { code, .. } if code == "INVALID_SETTINGS" => &["F-DG-06"],
            Self::AgentError { .. } => &["F-DG-07"],
            Self::AgentWarns { .. } => &["F-DG-24"],
            Self::AgentOmitsDone => &["F-DG-11"],
            Self::AgentRepeatsDone | Self::AgentDoneLate => &["F-DG-12"],
            Self::AgentSendsLate { .. } | Self::AgentSaysLate => &["F-DG-28"],
            Self::AgentTellsHistory => &["F-DG-30"],
            Self::AgentRepeatsCalls => &["F-DG-16"],
            Self::AgentAsksAgain => &["F-DG-17"],
            Self::AgentCancels { .. } => &["F-DG-22"],
            Self::AgentMumbles => &["F-DG-26"],
            Self::AgentSilent { .. } => &["F-DG-24"],
            Self::MarksLost { .. } => &["F-TW-20"],
            Self::MarksTwice | Self::MarksUnknown => &["F-TW-22"],
            Self::MarksShuffled => &["F-TW-21"],
            Self::StreamBreaks { .. } => &["F-TW-08"],
            Self::FramesTwice { .. } => &["F-TW-05"],
            Self::FramesShuffled { .. } | Self::FramesLate { .. } => &["F-TW-06"],
            Self::FramesLost { .. } => &["F-TW-07"],
            Self::KeysTwice => &["F-TW-23"],
            Self::HalfOpen { .. } => &["F-TW-09"],
            Self::CarrierBlocks { .. } => &["F-TW-26"],
            Self::HangUpRefused { status, .. }
            | Self::TransferRefused { status, .. }
            | Self::TonesRefused { status, .. } => refused(*status),
            Self::TransferReplyLost => &["F-TR-09"],
            Self::RestSlow { .. } => &["F-TR-01", "F-TR-10"],
            Self::CallerGoneInTransfer { .. } => &["F-TR-07"],
            Self::TransferFails { .. } => &["F-TR-07"],
            Self::InjectionRefused { .. } | Self::InjectionIgnored { .. } => &["F-DG-23"],
            Self::TonesNoReturn | Self::CallerGoneInTones { .. } => &["F-TW-29"],
            Self::StopLate { .. } => &["F-WH-13", "F-TR-12"],
            Self::CallbacksDisordered => &["F-WH-04", "F-WH-05"],
            Self::CallbacksLost => &["F-WH-14"],
            Self::CallbacksLate { .. }
            | Self::FramesBunched { .. }
            | Self::SpeakFails { .. }
            | Self::SpeakSlow { .. } => &[],
        }
    }
}

/// A request by REST is refused with this status.
const fn refused(status: u16) -> &'static [&'static str] {
    match status {
        400 => &["F-TR-04"],
        401 | 403 => &["F-TR-05"],
        404 => &["F-TR-06"],
        429 => &["F-TR-02"],
        _ => &["F-TR-03"],
    }
}
