//! What is wrong with a scenario, shown at the place where it is wrong.

use std::path::{Path, PathBuf};

use call_core::company::Company;
use miette::{Diagnostic, NamedSource, SourceSpan};
use serde::de::DeserializeOwned;

/// One mistake in a scenario: file, line and column, and what to do about it.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{message}")]
pub struct Problem {
    message: String,
    #[source_code]
    source_code: Option<NamedSource<String>>,
    #[label("{label}")]
    span: Option<SourceSpan>,
    label: String,
    #[help]
    help: Option<String>,
}

/// A file that is being read, kept to show where it is wrong.
#[derive(Debug, Clone)]
pub(super) struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    pub(super) fn read(path: &Path) -> Result<Self, Box<Problem>> {
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Self { path: path.to_owned(), text }),
            Err(error) => Err(Box::new(Problem {
                message: format!("cannot read the scenario {}: {error}", path.display()),
                source_code: None,
                span: None,
                label: String::new(),
                help: Some(
                    "give the path of a .ron file, such as scenarios/late_payment.ron".into(),
                ),
            })),
        }
    }

    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T, Box<Problem>> {
        let options = ron::Options::default()
            .with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
        options.from_str(&self.text).map_err(|error| {
            let start = offset(&self.text, error.span.start.line, error.span.start.col);
            let end = offset(&self.text, error.span.end.line, error.span.end.col);
            let length = end.saturating_sub(start).max(1);
            self.problem(start, length, "here".to_owned(), &error.code.to_string())
        })
    }

    /// A mistake that is best shown at these words of the file.
    pub(super) fn at_word(&self, words: &str, message: &str) -> Box<Problem> {
        match self.text.find(words) {
            Some(start) => self.problem(start, words.len(), "this one".to_owned(), message),
            None => self.problem(0, 1, "in this file".to_owned(), message),
        }
    }

    /// The company's configuration, which the scenario names with `word`.
    pub(super) fn company(&self, path: &Path, word: &str) -> Result<Company, Box<Problem>> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            let message = format!("cannot read the company file {}: {error}", path.display());
            self.at_word(word, &message)
        })?;
        let company: Company = toml::from_str(&text).map_err(|error| {
            let span = error.span().unwrap_or(0..1);
            Source { path: path.to_owned(), text: text.clone() }.problem(
                span.start,
                span.len().max(1),
                "here".to_owned(),
                error.message(),
            )
        })?;
        match company.fault() {
            None => Ok(company),
            Some((field, reason)) => {
                let source = Source { path: path.to_owned(), text };
                Err(source.at_word(field, &format!("{field}: {reason}")))
            }
        }
    }

    fn problem(&self, start: usize, length: usize, label: String, message: &str) -> Box<Problem> {
        let name = self.path.display().to_string();
        let before = &self.text[..start.min(self.text.len())];
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        Box::new(Problem {
            message: format!("{name}:{line}:{column}: {message}"),
            source_code: Some(NamedSource::new(name, self.text.clone())),
            span: Some((start, length).into()),
            label,
            help: None,
        })
    }
}

/// Lines count from 1, columns in characters from 1.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = &text[start..];
    start + rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at)
}
