//! How far a company may go with what it sets for itself: beyond, a caller would wait for nothing, or be
//! cut off before anything could be said.

use call_core::Millis;
use call_core::brief::{FunctionLimits, Limits};
use call_core::company::{Company, Retention};
use call_core::effect::Function;

/// Everything that is out of bounds, as fields and what they must be.
pub(super) fn faults(company: &Company) -> Vec<(String, String)> {
    let mut faults = limit_faults(&company.limits);
    for (name, limits) in &company.function_limits {
        faults.extend(function_faults(name, limits));
    }
    // From the date line to the date line.
    if !(-12 * 60..=14 * 60).contains(&company.utc_offset_minutes) {
        let must = "must be -720 to 840: minutes, west of Greenwich below 0";
        faults.push(("utc_offset_minutes".to_owned(), must.to_owned()));
    }
    let most = Retention::DAYS_MAX;
    for (class, least, days) in company.retention.all() {
        if !(least..=most).contains(&days) {
            let must = format!("must be {least} to {most} days");
            faults.push((format!("retention.{class}"), must));
        }
    }
    faults
}

/// The longest of each limit. Those that must be a second or more are known to the core.
fn limit_faults(limits: &Limits) -> Vec<(String, String)> {
    // A limit that is not named here does not compile.
    let Limits {
        agent_ready,
        line_ready,
        line_injected,
        silence_prompt,
        long_turn,
        silence_farewell,
        filler,
        cut_short,
        reply,
        agent_audio_done,
        patience,
        key_gap,
        reconnect,
        reconnect_gap,
        agent_speech,
        tones,
        transfer,
        call_warning,
        pay,
        mark,
        lookup,
        farewell,
        hang_up,
        call,
    } = *limits;
    let all = [
        ("agent_ready", agent_ready, 60),
        ("line_ready", line_ready, 10),
        ("line_injected", line_injected, 10),
        ("silence_prompt", silence_prompt, 10 * MINUTE),
        ("long_turn", long_turn, 10 * MINUTE),
        ("silence_farewell", silence_farewell, 30 * MINUTE),
        ("filler", filler, 10),
        ("cut_short", cut_short, 30),
        ("reply", reply, 60),
        ("agent_audio_done", agent_audio_done, 10),
        ("patience", patience, 30 * MINUTE),
        ("key_gap", key_gap, 30),
        ("reconnect", reconnect, 60),
        ("reconnect_gap", reconnect_gap, 60 * MINUTE),
        ("agent_speech", agent_speech, 10 * MINUTE),
        ("tones", tones, 5 * MINUTE),
        ("transfer", transfer, 5 * MINUTE),
        ("call_warning", call_warning, 10 * MINUTE),
        ("pay", pay, FUNCTION_S_MAX),
        ("mark", mark, 30),
        ("lookup", lookup, FUNCTION_S_MAX),
        ("farewell", farewell, 60),
        ("hang_up", hang_up, 60),
        // Twilio ends every call after four hours, unless it is told another limit.
        ("call", call, 240 * MINUTE),
    ];
    let beyond = all.into_iter().filter(|(_, limit, most)| *limit > Millis::from_secs(*most));
    let fault = |(name, _, most): (&str, Millis, u64)| {
        let must = format!("must be {} ({most} s) or less", most * 1_000);
        (format!("limits.{name}"), must)
    };
    beyond.map(fault).collect()
}

fn function_faults(name: &str, limits: &FunctionLimits) -> Vec<(String, String)> {
    let field = |field: &str| format!("function_limits.{name}{field}");
    let runs = [Function::LookupLoan, Function::MakePayment];
    if !runs.iter().any(|function| function.name() == name) {
        let known: Vec<_> = runs.iter().map(|function| function.name()).collect();
        let must = format!("only {} can have limits of their own", known.join(" and "));
        return vec![(field(""), must)];
    }
    let mut faults = Vec::new();
    let budget = Millis::from_secs(1)..=Millis::from_secs(FUNCTION_S_MAX);
    if limits.budget.is_some_and(|length| !budget.contains(&length)) {
        let must = format!("must be 1000 to {} milliseconds", FUNCTION_S_MAX * 1_000);
        faults.push((field(".budget"), must));
    }
    if limits.calls_max == Some(0) {
        let must = "must be 1 or more; take the function out of `functions` to have it never";
        faults.push((field(".calls_max"), must.to_owned()));
    }
    faults
}

const MINUTE: u64 = 60;

/// The longest that a function may run, in seconds: nobody stays on the line for longer.
const FUNCTION_S_MAX: u64 = 60;
