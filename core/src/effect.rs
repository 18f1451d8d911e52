//! What the machine wants done, as plain values.
//!
//! | Effect | Confirmed by | Given up by |
//! | --- | --- | --- |
//! | [`Effect::OpenAgent`] | `Agent::Ready`, `Agent::Lost` | `Timer::AgentReady` |
//! | [`Effect::CloseAgent`] | nothing: nobody waits for it | |
//! | [`Effect::Prepare`] | `Line::Ready`, `Line::Failed` | `Timer::LineReady` |
//! | [`Effect::Inject`] | `Line::Spoken`, `Line::Refused`, `Line::Failed` | `Timer::LineReady` |
//! | [`Effect::UseRecording`] | `Line::Ready`, at once | `Timer::LineReady` |
//! | [`Effect::Withdraw`] | nothing: what comes of the line is dropped | |
//! | [`Effect::Play`] | `Playback::Heard`, `Playback::Cut` | `Timer::PlaybackMark` |
//! | [`Effect::Clear`] | `Playback::Cut` for everything that was on its way | at once |
//! | [`Effect::CutReply`] | `Playback::Cut` for every sentence that waited | at once |
//! | [`Effect::EndSentence`] | `Playback::Queued` | at once |
//! | [`Effect::MuteAgent`] | nothing: it holds until `UnmuteAgent` | |
//! | [`Effect::Perform`] | `FunctionEnded` | `Timer::FunctionLimit` |
//! | [`Effect::Answer`] | nothing: the agent speaks next | `Timer::ReplyLimit` |
//! | [`Effect::TellAgent`] | nothing: a help to the model | |
//! | [`Effect::UnmuteAgent`], [`Effect::SetLanguage`], [`Effect::CollectKeys`] | nothing | |
//! | [`Effect::GiveKeys`] | nothing: the agent speaks next | `Timer::ReplyLimit` |
//! | [`Effect::PlayTones`] | `Carrier::Tones`, then `Carrier::Joined` | `Timer::TonesLimit` |
//! | [`Effect::Transfer`] | `Carrier::Transfer` | `Timer::TransferLimit` |
//! | [`Effect::HangUp`] | `Carrier::HungUp`, `Carrier::Stopped` | `Timer::HangUpLimit` |
//! | [`Effect::LeaveStream`] | nothing: the call's task ends | |

use alloc::collections::BTreeMap;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::line::{Language, LineId, UtteranceId};
use crate::step::Refusal;

/// One thing to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Open the agent's session in this language.
    OpenAgent {
        /// The language of the call.
        language: Language,
        /// Whether a session was lost: the new one is told the conversation so far.
        resume: bool,
    },
    /// Close the agent's session.
    CloseAgent,
    /// Word a line of ours and have it spoken, ready to be played.
    Prepare {
        /// The name of this utterance.
        utterance: UtteranceId,
        /// Which line.
        line: LineId,
        /// In which language.
        language: Language,
        /// What stands in its blanks.
        arguments: BTreeMap<String, String>,
    },
    /// Word a line of ours and ask the agent to say it, word for word.
    Inject {
        /// The name of this utterance.
        utterance: UtteranceId,
        /// Which line.
        line: LineId,
        /// In which language.
        language: Language,
        /// What stands in its blanks.
        arguments: BTreeMap<String, String>,
        /// Instead of what the agent is saying; otherwise behind it.
        interrupt: bool,
    },
    /// Take the recording of a line of ours, ready to be played.
    UseRecording {
        /// The name of this utterance.
        utterance: UtteranceId,
        /// Which line.
        line: LineId,
        /// In which language.
        language: Language,
    },
    /// A line that was asked for is not wanted any more. Should the agent still say it, nobody
    /// hears it.
    Withdraw {
        /// The name of the utterance.
        utterance: UtteranceId,
    },
    /// Play a prepared line behind whatever is on its way already. Until it was heard, the
    /// agent's audio waits behind it.
    Play {
        /// The name of the utterance.
        utterance: UtteranceId,
    },
    /// Stop all speech to the caller at once, and let nothing of the agent's cut turn through.
    Clear,
    /// Give up what the agent is saying behind a line of ours, and leave the line alone. Of an agent
    /// that is muted, what it has said to its end and is heard soon is kept.
    CutReply,
    /// The agent's current sentence gets no more audio: put its mark.
    EndSentence,
    /// Let no more audio of the agent through. The sentence that it has not finished is cut.
    MuteAgent,
    /// Let the agent be heard again.
    UnmuteAgent,
    /// Hold the conversation in this language from now on: voice, prompt, and recognition.
    SetLanguage {
        /// The language.
        language: Language,
    },
    /// The caller keys in a number: the agent hears silence until [`Effect::GiveKeys`], or, as long as
    /// it is one key alone, for a second.
    CollectKeys,
    /// The number is complete, or given up: the agent hears the caller again, and is told that a
    /// number was keyed in, by a token that stands for it.
    GiveKeys {
        /// How many digits it has; none if it was given up.
        digits: u32,
    },
    /// Run a function with the arguments that the shell keeps under this id.
    Perform {
        /// The provider's id of the request.
        id: String,
        /// The function.
        function: Function,
        /// The same for every request that means the same: whoever performs a write refuses a
        /// second one with the same key.
        key: String,
    },
    /// Hand the call over to a person.
    Transfer {
        /// Name of the target.
        target: String,
    },
    /// Play tones on the call: its present stream ends for them, and a new one joins it behind them.
    /// Which tones they are, the shell keeps under the request's id.
    PlayTones {
        /// The provider's id of the request.
        id: String,
        /// How many tones there are, pauses not counted.
        tones: u32,
    },
    /// Answer a function request. Where the session that made it is gone, or took it back, the one that
    /// is there is told the same in another way: an answer would be foreign to it.
    Answer {
        /// The provider's id of the request.
        id: String,
        /// The name it asked for.
        name: String,
        /// The answer.
        answer: Answer,
    },
    /// Tell the model what it could not hear: that a line of ours was spoken.
    TellAgent {
        /// The line.
        utterance: UtteranceId,
        /// Its words, masked.
        text: String,
    },
    /// End the call at the carrier.
    HangUp,
    /// Close the media stream. After a hang-up this only tidies up; without one the carrier goes
    /// on with what the webhook told it to do when a stream ends.
    LeaveStream,
}

/// A function that this server can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    /// Finds a loan and checks who asks.
    LookupLoan,
    /// Pays.
    MakePayment,
    /// Hands the call over to a person.
    TransferCall,
    /// Plays the tones of telephone keys to the other side.
    PlayDtmf,
    /// Says goodbye and ends the call.
    HangupCall,
}

impl Function {
    /// Every function, by name.
    pub const ALL: [Self; 5] =
        [Self::LookupLoan, Self::MakePayment, Self::TransferCall, Self::PlayDtmf, Self::HangupCall];

    /// The name the model calls it by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LookupLoan => "lookup_loan",
            Self::MakePayment => "make_payment",
            Self::TransferCall => "transfer_call",
            Self::PlayDtmf => "play_dtmf",
            Self::HangupCall => "hangup_call",
        }
    }

    /// Whether it changes anything outside: such a function is never cancelled, and never run
    /// twice for the same meaning.
    ///
    /// Tones are no write: a menu may want the same key once more, so the same tones under another
    /// id are another wish. Under one id they are played once, as the ledger sees to it.
    pub const fn is_write(self) -> bool {
        matches!(self, Self::MakePayment)
    }

    /// The function of a name; nothing for a name we do not know.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.name() == name)
    }
}

/// What a function request is answered with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The result that the shell keeps under the id of the request that was performed, which is
    /// another one's when several meant the same.
    Result {
        /// That id.
        of: String,
    },
    /// It was done, and there is nothing to tell.
    Done,
    /// It was not allowed.
    Refused(Refusal),
    /// It was tried, and could not be done.
    NotDone,
    /// It took too long.
    TimedOut,
    /// It took too long, and perhaps it happened and perhaps not.
    Unknown,
}
