//! Any bytes as a scenario file: they are a scenario or a problem, and a problem can be shown.

use miette::Report;
use sim::scenario::Template;

use crate::folder;

/// Reads the bytes as a scenario file lies on a disk.
pub fn run(bytes: &[u8]) {
    match Template::load(&folder::file("fuzzed.ron", bytes)) {
        Ok(template) => {
            let turns = template.turns();
            assert_eq!(template.into_scenario().turns.len(), turns, "no turn is lost");
        }
        Err(problem) => {
            assert!(!problem.to_string().is_empty(), "a problem says what is wrong");
            // Shown as on a terminal, with the place in the file.
            assert!(!format!("{:?}", Report::new(*problem)).is_empty(), "and where");
        }
    }
}
