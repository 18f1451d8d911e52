//! The record of a call, as the command line shows it.

use call_core::CallTime;
use call_core::brief::Direction;
use call_core::step::{IdentityLevel, RecordingReason};
use call_core::summary::{Fates, Spread, Summary, Uses};
use call_transports::twilio::recording::RecordingStatus;
use serde_json::{Value, json};

use crate::command::time;
use crate::store::{CallRecord, Recordings, Status, StoredSummary, SummaryText};

/// What there is of a call besides its record.
pub(crate) struct More {
    /// What its journal amounts to.
    pub(crate) summary: Option<StoredSummary>,
    /// The call in a few sentences, or why there are none.
    pub(crate) text: Option<SummaryText>,
    /// Its recordings.
    pub(crate) recordings: Recordings,
}

/// The record of a call for people, row by row.
pub(super) fn text(call: &CallRecord, more: &More) -> String {
    let direction = match call.direction {
        Direction::Inbound => "came in",
        Direction::Outbound => "was placed",
    };
    let mut rows = vec![
        ("call", call.sid.clone()),
        ("company", format!("{} v{}", call.company, call.config_version)),
        ("prompt", call.prompt_hash.clone()),
        ("language", format!("{}, at its beginning", call.language)),
        ("direction", format!("{direction}: {} to {}", call.from_masked, call.to_masked)),
        ("began", time(call.started_us)),
    ];
    match &call.ended {
        Some(ended) => {
            rows.push(("ended", time(ended.at_us)));
            rows.push(("length", length(ended.duration_ms)));
            rows.push(("reason", ended.reason.clone()));
        }
        None => rows.push(("ended", "not yet".to_owned())),
    }
    match &more.summary {
        Some(summary) => sum(summary, &mut rows),
        None => rows.push(("journal", "none".to_owned())),
    }
    match &more.text {
        Some(SummaryText::Text(text)) => rows.push(("in short", one_line(text))),
        Some(SummaryText::Without(why)) => rows.push(("in short", format!("none: {why}"))),
        None => {}
    }
    rows.extend(recording_lines(&more.recordings).map(|line| ("recording", line)));
    rows.iter().fold(String::new(), |text, (name, value)| text + &format!("{name:<10} {value}\n"))
}

/// Somebody else wrote it: its lines are not to be taken for rows of ours.
fn one_line(text: &str) -> String {
    let words = text.split(|sign: char| sign.is_whitespace() || sign.is_control());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn sum(StoredSummary { summary, bytes }: &StoredSummary, rows: &mut Vec<(&str, String)>) {
    let times = &summary.times;
    let languages: Vec<_> = summary.languages.iter().map(ToString::to_string).collect();
    let identity = match summary.identity {
        IdentityLevel::None => "not known",
        IdentityLevel::Identified => "one factor matched",
        IdentityLevel::Verified => "verified",
    };
    rows.extend([
        ("journal", format!("{} steps, {bytes} bytes", summary.steps)),
        ("outcome", summary.outcome.word().to_owned()),
        ("spoken", languages.join(", then ")),
        ("turns", format!("{} of the caller's, {} barge-ins", summary.turns, summary.barge_ins)),
        ("sentences", fates(summary.sentences)),
        ("our lines", fates(summary.lines)),
        (
            "heard",
            format!("caller {}, agent {}, our lines {}", times.caller, times.agent, times.ours),
        ),
        ("silent", times.silent.to_string()),
        ("hearing", spread(summary.hearing)),
        ("thinking", spread(summary.thinking)),
        ("speaking", spread(summary.speaking)),
        ("answer", spread(summary.answer)),
        ("caller is", identity.to_owned()),
    ]);
    rows.extend(recorded(summary));
    if !summary.disclosed.is_empty() {
        rows.push(("disclosed", summary.disclosed.join(", ")));
    }
    rows.extend(summary.functions.iter().map(|(name, uses)| ("function", function(name, uses))));
    if summary.person_asked > 0 {
        rows.push(("person", format!("asked for {} times", summary.person_asked)));
    }
    let handed = summary.transfers.iter();
    rows.extend(handed.map(|to| ("transfer", format!("to {}: {}", to.target, to.result))));
    if summary.sessions_lost > 0 {
        rows.push(("sessions", format!("{} of the agent's lost", summary.sessions_lost)));
    }
}

/// From when to when a call was to be recorded, and when not and why. What the carrier made of it are its
/// recordings. A summary of an earlier version does not tell.
fn recorded(summary: &Summary) -> Vec<(&'static str, String)> {
    let Some(first) = summary.recording.first() else { return Vec::new() };
    if !summary.recorded {
        return vec![("recorded", "no, its company does not record".to_owned())];
    }
    let end = CallTime::from_millis(summary.lasted.0);
    let mut rows = vec![("recorded", format!("from {} to {end}", first.at))];
    for (place, turned) in summary.recording.iter().enumerate() {
        let until = summary.recording.get(place + 1).map_or(end, |next| next.at);
        let why = match turned.why {
            _ if turned.on => continue,
            RecordingReason::NumberKeyed => "a number was keyed in",
            RecordingReason::CompanyPolicy => "its company does not record",
        };
        rows.push(("paused", format!("from {} to {until}, {why}", turned.at)));
    }
    rows
}

fn fates(Fates { heard, cut, unknown, unheard }: Fates) -> String {
    let some = [(cut, "cut"), (unknown, "perhaps heard"), (unheard, "not heard")];
    let some = some.iter().filter(|(count, _)| *count > 0);
    some.fold(format!("{heard} heard"), |text, (count, fate)| text + &format!(", {count} {fate}"))
}

fn spread(Spread { count, median, longest }: Spread) -> String {
    match count {
        0 => "none".to_owned(),
        _ => format!("median {} ms, longest {} ms, of {count}", median.0, longest.0),
    }
}

fn function(name: &str, uses: &Uses) -> String {
    let Uses { asked, refused, ended, .. } = uses;
    let mut text = format!("{name}: asked for {asked} times");
    if *refused > 0 {
        text += &format!(", refused {refused}");
    }
    ended.iter().fold(text, |text, (how, count)| text + &format!(", {how} {count}"))
}

/// The record of a call for programs.
pub(crate) fn object(call: &CallRecord) -> Value {
    let ended = call.ended.as_ref();
    json!({
        "call": call.sid,
        "company": call.company,
        "config_version": call.config_version,
        "prompt_hash": call.prompt_hash,
        "language": call.language.tag(),
        "direction": match call.direction {
            Direction::Inbound => "inbound",
            Direction::Outbound => "outbound",
        },
        "from": call.from_masked,
        "to": call.to_masked,
        "started_us": call.started_us,
        "status": if ended.is_some() { Status::Ended } else { Status::Live }.word(),
        "ended_us": ended.map(|ended| ended.at_us),
        "duration_ms": ended.map(|ended| ended.duration_ms),
        "end_reason": ended.map(|ended| &ended.reason),
        "journal_version": call.journal_version,
        "epoch": call.epoch,
    })
}

/// Likewise, with what is made of its journal, and its recordings.
pub(crate) fn object_with(call: &CallRecord, more: &More) -> Value {
    let mut told = object(call);
    let (stored, text) = (more.summary.as_ref(), more.text.as_ref());
    told["journal_bytes"] = json!(stored.map(|stored| stored.bytes));
    told["summary"] = json!(stored.map(|stored| &stored.summary));
    told["summary_text"] = json!(text.and_then(SummaryText::text));
    told["no_summary_text"] = json!(text.and_then(SummaryText::why_without));
    told["recordings"] = recording_objects(&more.recordings).into();
    told
}

/// What is known of a call's recordings, a line for each.
pub(super) fn recording_lines(recordings: &Recordings) -> impl Iterator<Item = String> {
    let Recordings { kept, deleted } = recordings;
    let kept = kept.iter().map(|recording| {
        let mut line = format!("{}  {}", recording.sid, recording.status.as_str());
        if let Some(seconds) = recording.seconds {
            line += &format!(", {seconds} s");
        }
        if let Some(started_us) = recording.started_us {
            line += &format!(", from {}", time(started_us));
        }
        line += match recording.status {
            RecordingStatus::Completed if recording.has_sound() => ", can be heard",
            RecordingStatus::Completed => ", said to lie at a strange address",
            RecordingStatus::InProgress | RecordingStatus::Absent => "",
        };
        line
    });
    let deleted = deleted.iter().map(|gone| {
        format!("{}  deleted {}, because its time was over", gone.sid, time(gone.at_us))
    });
    kept.chain(deleted)
}

/// Likewise, for programs.
pub(crate) fn recording_objects(recordings: &Recordings) -> Vec<Value> {
    let Recordings { kept, deleted } = recordings;
    let kept = kept.iter().map(|recording| {
        json!({
            "recording": recording.sid,
            "status": recording.status.as_str(),
            "seconds": recording.seconds,
            "started_us": recording.started_us,
            "can_be_heard": recording.has_sound(),
            "deleted_us": null,
        })
    });
    let deleted = deleted.iter().map(|gone| {
        json!({
            "recording": gone.sid,
            "status": "deleted",
            "seconds": null,
            "started_us": null,
            "can_be_heard": false,
            "deleted_us": gone.at_us,
        })
    });
    kept.chain(deleted).collect()
}

/// `mm:ss.mmm`, as in stories.
pub(super) fn length(duration_ms: i64) -> String {
    CallTime::from_millis(u64::try_from(duration_ms).unwrap_or_default()).to_string()
}
