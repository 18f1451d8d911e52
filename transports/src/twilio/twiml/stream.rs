use std::fmt;

use super::{Error, push_attribute};

/// Name and value of a [`Parameter`] together have fewer characters than this.
pub const PARAMETER_CHARACTERS: usize = 500;

/// Where a media stream goes, and what it says about itself when it gets there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    url: String,
    parameters: Vec<Parameter>,
}

impl Stream {
    /// A stream to this URL, without parameters.
    ///
    /// The scheme must be `wss`; `ws` is accepted for this machine itself, where only a stand-in
    /// connects. A query is refused, because Twilio drops it silently: use a [`Parameter`].
    ///
    /// # Errors
    /// [`Error::StreamUrl`].
    pub fn new(url: impl Into<String>) -> Result<Self, Error> {
        let url = url.into();
        let authority = |rest: &str| rest.split('/').next().unwrap_or_default().to_owned();
        let reachable = match url.split_once("://") {
            Some(("wss", rest)) => !authority(rest).is_empty(),
            Some(("ws", rest)) => is_this_machine(&authority(rest)),
            _ => false,
        };
        if !reachable || url.contains(['?', '#']) || url.contains(char::is_whitespace) {
            return Err(Error::StreamUrl);
        }
        Ok(Self { url, parameters: Vec::new() })
    }

    /// Adds a parameter. It comes back in the start message of the stream.
    #[must_use]
    pub fn with(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// The URL that Twilio connects to.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The parameters in their order.
    #[must_use]
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    pub(super) fn render(&self, out: &mut String) -> Result<(), Error> {
        out.push_str("<Connect><Stream");
        push_attribute("url", &self.url, out)?;
        if self.parameters.is_empty() {
            out.push_str("/></Connect>");
            return Ok(());
        }
        out.push('>');
        for Parameter { name, value } in &self.parameters {
            out.push_str("<Parameter");
            push_attribute("name", name, out)?;
            push_attribute("value", value, out)?;
            out.push_str("/>");
        }
        out.push_str("</Stream></Connect>");
        Ok(())
    }
}

/// A name and a value that travel with a stream.
#[derive(Clone, PartialEq, Eq)]
pub struct Parameter {
    name: String,
    value: String,
}

impl Parameter {
    /// A parameter, if it is short enough for Twilio.
    ///
    /// # Errors
    /// [`Error::ParameterTooLong`] from [`PARAMETER_CHARACTERS`] on.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Result<Self, Error> {
        let (name, value) = (name.into(), value.into());
        if name.chars().count() + value.chars().count() >= PARAMETER_CHARACTERS {
            return Err(Error::ParameterTooLong);
        }
        Ok(Self { name, value })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value, which may be a secret.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl fmt::Debug for Parameter {
    /// Prints the name only: the value may be the token that admits a stream.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parameter").field("name", &self.name).finish_non_exhaustive()
    }
}

fn is_this_machine(authority: &str) -> bool {
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|host| {
        authority.strip_prefix(host).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    })
}
