//! What is wrong with a scenario, shown at the place where it is wrong.

mod excerpt;

use std::fmt;
use std::io::Read as _;
use std::path::Path;

use miette::{Diagnostic, LabeledSpan, SourceCode};

use super::check::near_file;
use super::tree::Found;
use excerpt::Excerpt;

/// The largest scenario or company file that is read, in bytes.
pub(super) const FILE_BYTES_MAX: u64 = 1 << 20;

/// Messages and help are broken into lines of so many characters, so that they fit a terminal of
/// 80 columns with what is drawn around them.
const COLUMNS: usize = 68;

/// Everything that is wrong with a scenario: its file, its company's and its recordings. There is
/// at least one mistake in it.
#[derive(Debug)]
pub struct Problem {
    first: Mistake,
    further: Vec<Mistake>,
}

/// One mistake: file, line and column, and what to do about it.
#[derive(Debug)]
pub struct Mistake {
    file: String,
    /// Line and column, from 1; none when the file cannot be read at all.
    place: Option<(usize, usize)>,
    words: String,
    what: String,
    label: String,
    help: Option<String>,
    excerpt: Option<Excerpt>,
}

/// A file that is being read, kept to show where it is wrong.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) name: String,
    pub(super) text: String,
}

impl Problem {
    /// Nothing, if there are no mistakes. Those of a file are in the order of its lines.
    pub(super) fn of(mut mistakes: Vec<Mistake>) -> Option<Box<Self>> {
        mistakes.sort_by(|a, b| (&a.file, a.place).cmp(&(&b.file, b.place)));
        mistakes.dedup_by(|a, b| {
            a.file == b.file && a.place == b.place && a.what == b.what && a.words == b.words
        });
        let mut mistakes = mistakes.into_iter();
        let first = mistakes.next()?;
        Some(Box::new(Self { first, further: mistakes.collect() }))
    }

    /// The mistakes, by file, line and column.
    pub fn mistakes(&self) -> impl Iterator<Item = &Mistake> {
        std::iter::once(&self.first).chain(&self.further)
    }
}

impl From<Mistake> for Box<Problem> {
    fn from(first: Mistake) -> Self {
        Self::new(Problem { first, further: Vec::new() })
    }
}

impl Mistake {
    /// A mistake at a place in a file.
    pub(super) fn at(source: &Source, found: Found) -> Self {
        let excerpt = Excerpt::of(&source.text, found.span);
        Self {
            file: source.name.clone(),
            place: Some((excerpt.line(), excerpt.column())),
            words: excerpt.words().to_owned(),
            what: found.what,
            label: found.label,
            help: found.help,
            excerpt: Some(excerpt),
        }
    }

    /// A file that cannot be read.
    pub(super) fn without_place(file: &Path, what: String, help: &str) -> Self {
        Self {
            file: file.display().to_string(),
            place: None,
            words: String::new(),
            what,
            label: String::new(),
            help: Some(help.to_owned()),
            excerpt: None,
        }
    }

    /// The file in which it is, as it was named.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Its line and its column in characters, both from 1; nothing when the file cannot be read.
    pub const fn place(&self) -> Option<(usize, usize)> {
        self.place
    }

    /// The words that are wrong, as they stand in the file.
    pub fn words(&self) -> &str {
        &self.words
    }

    /// What is wrong.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// What was expected in its place, or the like: what is drawn below the words. Empty where the file
    /// cannot be read at all.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// What to do about it.
    pub fn advice(&self) -> Option<&str> {
        self.help.as_deref()
    }
}

impl Source {
    /// Reads a text file, which is to hold a scenario or something else. Whoever has a folder in
    /// hand has looked for files in it before.
    pub(super) fn read(path: &Path, holds: &str) -> Result<Self, Box<Mistake>> {
        let mut bytes = Vec::new();
        let help = "give the path of a .ron file, such as scenarios/late_payment.ron";
        if path.is_dir() {
            let what = format!("there is no .ron file in the folder {}", path.display());
            return Err(Box::new(Mistake::without_place(path, what, help)));
        }
        let read = std::fs::File::open(path)
            .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes));
        if let Err(why) = read {
            let what = format!("cannot read the {holds} {}: {why}", path.display());
            let near = near_file(&path.display().to_string(), path);
            let near = near.map(|near| format!("did you mean `{near}`?"));
            let help = near.as_deref().unwrap_or(help);
            return Err(Box::new(Mistake::without_place(path, what, help)));
        }
        if bytes.len() as u64 > FILE_BYTES_MAX {
            let what = format!("{} is larger than 1 MiB", path.display());
            let help = "no scenario is so large: the sound of a call belongs into WAV files";
            return Err(Box::new(Mistake::without_place(path, what, help)));
        }
        let name = path.display().to_string();
        match String::from_utf8(bytes) {
            // The mark that some editors put before a text.
            Ok(text) => {
                let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
                Ok(Self { name, text })
            }
            Err(error) => {
                let start = error.utf8_error().valid_up_to();
                let byte = error.as_bytes().get(start).copied().unwrap_or_default();
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                let what =
                    format!("the file is not UTF-8: the byte 0x{byte:02X} cannot stand here");
                let found = Found::new(start..start + 1, what, "not UTF-8")
                    .help("save the file as UTF-8, which editors call an encoding");
                Err(Box::new(Mistake::at(&Self { name, text }, found)))
            }
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.place {
            Some((line, column)) => format!("{}:{line}:{column}: {}", self.file, self.what),
            None => self.what.clone(),
        };
        f.write_str(&broken(&text))
    }
}

impl std::error::Error for Mistake {}

impl Diagnostic for Mistake {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(broken(help)) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.excerpt.as_ref().map(|excerpt| excerpt as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let excerpt = self.excerpt.as_ref()?;
        let label = LabeledSpan::new_with_span(Some(excerpt.label(&self.label)), excerpt.span());
        Some(Box::new(std::iter::once(label)))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        match self.further.len() {
            0 => Ok(()),
            1 => f.write_str("\n(and another mistake)"),
            further => write!(f, "\n(and {further} further mistakes)"),
        }
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.first.help()
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.first.source_code()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.first.labels()
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        if self.further.is_empty() {
            return None;
        }
        Some(Box::new(self.further.iter().map(|mistake| mistake as &dyn Diagnostic)))
    }
}

/// A text with its lines broken at spaces. A word that is longer than a line, such as a path,
/// stays whole, so that it can be copied.
fn broken(text: &str) -> String {
    let mut lines = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > COLUMNS {
            lines.push('\n');
            column = 0;
        } else if column > 0 {
            lines.push(' ');
            column += 1;
        }
        lines.extend(word.chars().map(excerpt::visible));
        column += length;
    }
    lines
}
