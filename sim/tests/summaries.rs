//! What a summary says of a call is what its story tells: two ways to read one journal.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use call_core::Step;
use call_core::story::story;
use call_core::summary::{Outcome, said, summary};
use sim::scenario::files_in;

/// A story without the numbers of its requests: a summary counts them.
fn unnumbered(story: String) -> String {
    (2..=64).fold(story, |story, number| {
        let story = story.replace(&format!(" #{number}: "), ": ");
        story.replace(&format!(" #{number} "), " ")
    })
}

/// Every scenario. The story is text, and is read here as a reviewer reads it.
#[test]
fn a_summary_counts_what_the_story_tells() {
    let mut outcomes = Vec::new();
    for (name, steps) in &*SCENARIOS {
        let (sum, story) = (summary(steps), unnumbered(story(steps)));
        let count = |begins: &str, holds: &str| {
            let lines = story.lines().map(|line| &line[11..]);
            lines.filter(|line| line.starts_with(begins) && line.contains(holds)).count()
        };
        let told = |what: &str, counted: u32, begins: &str, holds: &str| {
            assert_eq!(counted as usize, count(begins, holds), "{name}: {what}\n{sum:#?}\n{story}");
        };
        told("turns", sum.turns, "caller  \"", "");
        for (who, fates) in [("heard   agent:", sum.sentences), ("heard   us:", sum.lines)] {
            told("heard", fates.heard, who, "[in full, ");
            told("cut", fates.cut, who, "[cut ");
            told("perhaps", fates.unknown, who, "[perhaps heard]");
        }
        told("sessions", sum.sessions_lost, "agent   lost: ", "");
        let transfers = u32::try_from(sum.transfers.len()).expect("a few");
        told("transfers", transfers, "call    transfer to ", ": ");
        for handed in &sum.transfers {
            let line = format!("call    transfer to {}: {}", handed.target, handed.result);
            assert!(story.contains(&line), "{name}: {line}");
        }
        for (function, uses) in sum.functions.iter().filter(|(function, _)| *function != "other") {
            told("asked", uses.asked, &format!("agent   asks for {function} "), "");
            told("refused", uses.refused, &format!("we      refuse {function}: "), "");
            for (how, times) in &uses.ended {
                told("ended", *times, &format!("result  {function}: {how}"), "");
            }
            let ended: u32 = uses.ended.values().sum();
            told("all ended", ended, &format!("result  {function}: "), "");
        }
        let asked: u32 = sum.functions.values().map(|uses| uses.asked).sum();
        told("all asked", asked, "agent   asks for ", "");
        if let Some(reason) = sum.ended {
            told("end", 1, "call    ended: ", reason.word());
        }
        assert_eq!(sum.person_asked > 0, story.contains("asks for a person"), "{name}");
        assert_eq!(!sum.disclosed.is_empty(), story.contains("told the agent: "), "{name}");
        assert_eq!(sum.recorded, story.contains("recording on"), "{name}");
        assert_eq!(
            sum.languages.len(),
            1 + count("call    goes on in ", ""),
            "{name}: {:?}",
            sum.languages
        );
        outcomes.push(sum.outcome);
    }
    for outcome in Outcome::ALL {
        assert!(outcomes.contains(&outcome), "no scenario comes to {outcome:?}");
    }
}

/// Nobody is heard for longer than the call was, and silence is what is left.
#[test]
fn times_fit_into_the_call() {
    for (name, steps) in &*SCENARIOS {
        let sum = summary(steps);
        let times = sum.times;
        let all = times.caller.0 + times.agent.0 + times.ours.0 + times.silent.0;
        assert!(times.silent <= sum.lasted, "{name}: {sum:#?}");
        assert!(all >= sum.lasted.0, "{name}: {sum:#?}");
        assert!(
            sum.answer.longest <= sum.hearing.longest + sum.thinking.longest + sum.speaking.longest
        );
        assert!(sum.answer.count <= sum.hearing.count, "{name}: {sum:#?}");
        for spread in [sum.hearing, sum.thinking, sum.speaking, sum.answer] {
            assert!(spread.median <= spread.longest && spread.longest <= sum.lasted);
            assert!(spread.count <= sum.turns, "{name}: {sum:#?}");
        }
        let text = serde_json::to_string(&sum).expect("a summary is JSON");
        assert_eq!(serde_json::from_str::<call_core::summary::Summary>(&text).expect("it"), sum);
    }
}

/// Heard is not said: whoever looks for words finds those that reached an ear.
#[test]
fn what_was_said_is_what_the_story_has_in_quotes() {
    for (name, steps) in &*SCENARIOS {
        let story = story(steps);
        let quoted = story.lines().filter_map(|line| {
            let line = &line[11..];
            let speaks = line.starts_with("caller  \"") || line.starts_with("heard   ");
            let words = line.split_once('"')?.1.rsplit_once('"')?.0;
            speaks.then(|| call_core::summary::fold(words))
        });
        let quoted: Vec<_> = quoted.collect();
        let said = said(steps);
        assert_eq!(said.lines().collect::<Vec<_>>(), quoted, "{name}");
    }
}

#[test]
fn two_summaries_as_they_are_kept() {
    for name in ["late_payment", "s23_refused_credentials"] {
        let (_, steps) = SCENARIOS.iter().find(|(other, _)| other == name).expect("it is there");
        let text = serde_json::to_string_pretty(&summary(steps)).expect("it is JSON");
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(format!("{name}.summary"), text);
        });
    }
}

/// Every scenario by name, played once for all tests.
static SCENARIOS: LazyLock<Vec<(String, Vec<Step>)>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let play = |file: &PathBuf| {
        let played = sim::play(file).unwrap_or_else(|problem| panic!("{problem}"));
        (file.file_stem().expect("a name").to_string_lossy().into_owned(), played.steps)
    };
    files_in(&root).expect("a folder of scenarios").iter().map(play).collect()
});
