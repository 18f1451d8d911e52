//! Any text as a company's file that a scenario names: they are a scenario, or mistakes that can be
//! shown where they stand.

use miette::Report;
use sim::Scenario;

use crate::folder;

/// Reads a scenario whose company stands in these bytes.
pub fn run(bytes: &[u8]) {
    folder::file(COMPANY, bytes);
    let scenario = SCENARIO.replace("{company}", &folder::name_here(COMPANY));
    match Scenario::load(&folder::file("company.ron", scenario.as_bytes())) {
        Ok(scenario) => {
            assert_eq!(scenario.company.faults(), [], "a company that is played is sound");
            let agent = scenario.company.agent(scenario.language);
            assert!(agent.is_some(), "it has an agent that speaks the scenario's language");
        }
        Err(problem) => {
            assert!(!problem.to_string().is_empty(), "a problem says what is wrong");
            // Shown as on a terminal, with the place in the file.
            assert!(!format!("{:?}", Report::new(*problem)).is_empty(), "and where");
        }
    }
}

const COMPANY: &str = "companies/fuzzed.toml";

const SCENARIO: &str = r#"Scenario(
    title: "Any company",
    company: "{company}",
    language: en,
    seed: 1,
    caller: (from: "+15555551060", turns: [Says(words: "What are your hours?")]),
    expect: [Ended("no_input")],
)"#;
