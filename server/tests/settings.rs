//! What Deepgram is sent before each session, as a file beside this one: whoever changes a company or the
//! code in between reads here what the agent will be told.

use std::path::Path;

use call_core::company::Company;
use call_transports::deepgram::{ClientMessage, Settings, encode_client};
use server::company::profile;

#[test]
fn the_settings_of_every_company_and_language_are_those_beside_this_test() {
    let companies = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/companies");
    for name in ["acme", "summit"] {
        let file = companies.join(format!("{name}.toml"));
        let text = std::fs::read_to_string(file).expect("the company is there");
        let company: Company = toml::from_str(&text).expect("the company reads well");
        for language in company.agents.keys() {
            let profile = profile(&company, *language).expect("it has an agent for it");
            let settings = ClientMessage::Settings(Box::new(Settings::telephone(profile)));
            let sent: serde_json::Value =
                serde_json::from_str(&encode_client(&settings)).expect("what is sent is JSON");
            let sent = serde_json::to_string_pretty(&sent).expect("JSON can be written");
            insta::with_settings!({
                prepend_module_to_snapshot => false,
                omit_expression => true,
            }, {
                insta::assert_snapshot!(format!("settings.{name}.{language:?}"), sent);
            });
        }
    }
}
