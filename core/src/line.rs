//! What can be said: the languages, the lines that are ours, and the names of utterances.

use core::fmt;

use serde::{Deserialize, Serialize};

/// A language that a call can be held in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Language {
    /// English as spoken in the United States.
    #[serde(rename = "en")]
    English,
    /// Spanish as spoken in the United States and Mexico.
    #[serde(rename = "es")]
    Spanish,
}

impl Language {
    /// Every language, in the order of their tags.
    pub const ALL: [Self; 2] = [Self::English, Self::Spanish];

    /// The tag used in paths, files and journals: `en` or `es`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
        }
    }

    /// The language of a tag; `en-US` counts as `en`. Nothing for a language we do not speak.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or(tag);
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::English => "English",
            Self::Spanish => "Spanish",
        })
    }
}

/// A line that we wrote and that is spoken word for word. Its words stand in `locales/`, in
/// every language, under [`LineId::key`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineId {
    /// Who is calling, that it is an automated assistant, that the call may be recorded.
    Opening,
    /// Asks a silent caller whether they are still there.
    StillThere,
    /// Asks whether we are heard, in a word or two: where noise cuts every longer sentence.
    HearMe,
    /// The caller may go on, or have the last words again: where a voice cut the agent and nothing
    /// followed.
    CutShort,
    /// One moment, I am checking.
    Hold,
    /// That it is an automated assistant and that the call may be recorded, said again.
    Notice,
    /// No hurry: said to a caller who looks for something.
    TakeYourTime,
    /// We were interrupted; please go on.
    GoOn,
    /// A minute is left.
    OneMinute,
    /// A person will take over.
    Transferring,
    /// No person could be reached.
    NobodyFree,
    /// Something of ours failed; the call ends decently.
    Trouble,
    /// The ordinary goodbye.
    Farewell,
    /// The goodbye to a caller who has been silent too long.
    GoodbyeSilence,
}

impl LineId {
    /// Every line, in the order of declaration.
    pub const ALL: [Self; 14] = [
        Self::Opening,
        Self::StillThere,
        Self::HearMe,
        Self::CutShort,
        Self::Hold,
        Self::Notice,
        Self::TakeYourTime,
        Self::GoOn,
        Self::OneMinute,
        Self::Transferring,
        Self::NobodyFree,
        Self::Trouble,
        Self::Farewell,
        Self::GoodbyeSilence,
    ];

    /// The message id under which `locales/` keeps the words.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::StillThere => "still-there",
            Self::HearMe => "hear-me",
            Self::CutShort => "cut-short",
            Self::Hold => "hold",
            Self::Notice => "notice",
            Self::TakeYourTime => "take-your-time",
            Self::GoOn => "go-on",
            Self::OneMinute => "one-minute",
            Self::Transferring => "transferring",
            Self::NobodyFree => "nobody-free",
            Self::Trouble => "trouble",
            Self::Farewell => "farewell",
            Self::GoodbyeSilence => "goodbye-silence",
        }
    }

    /// Whether the line must be heard to its end: the caller's speech does not stop it.
    pub const fn is_required(self) -> bool {
        match self {
            Self::Opening
            | Self::Notice
            | Self::Transferring
            | Self::Trouble
            | Self::Farewell
            | Self::GoodbyeSilence => true,
            Self::StillThere
            | Self::HearMe
            | Self::CutShort
            | Self::Hold
            | Self::TakeYourTime
            | Self::GoOn
            | Self::OneMinute
            | Self::NobodyFree => false,
        }
    }
}

impl fmt::Display for LineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

/// How a line of ours is spoken. Where one way fails, the next is taken; the last needs nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rung {
    /// By the speech interface, as a clip of its own.
    Spoken,
    /// By the agent, into whose session the words are put.
    Injected,
    /// By a recording that is part of the program. It knows no names.
    Recorded,
}

/// The name of one stretch of speech to the caller. It is also the name of the mark that tells
/// when the stretch was played.
///
/// Lines of ours are counted by the machine, sentences of the agent by the bridge that hears
/// them first; the two counters cannot collide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UtteranceId {
    /// The n-th line of ours in this call.
    Line(u32),
    /// The n-th sentence that the agent spoke in this call.
    Agent(u32),
}

impl UtteranceId {
    /// The utterance that a mark's name stands for; nothing for a name we never gave.
    pub fn from_mark(name: &str) -> Option<Self> {
        let (kind, number) = name.split_once('-')?;
        let number = number.parse().ok()?;
        match kind {
            "line" => Some(Self::Line(number)),
            "agent" => Some(Self::Agent(number)),
            _ => None,
        }
    }

    /// Whether this is a sentence of the agent, not a line of ours.
    pub const fn is_agents(self) -> bool {
        matches!(self, Self::Agent(_))
    }
}

impl fmt::Display for UtteranceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number) => write!(f, "line-{number}"),
            Self::Agent(number) => write!(f, "agent-{number}"),
        }
    }
}
