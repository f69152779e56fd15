//! What is wrong in manifests: collected over all files, sorted, rendered in one place.

use std::fmt;

use super::render::{framed, visible};
use super::source::{Sources, Span};
use crate::resource::Position;

/// Something wrong, while the files are still at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// Where.
    pub span: Span,
    /// What is wrong.
    pub message: Box<str>,
    /// Beside the marker: what was expected.
    pub label: Box<str>,
    /// What to do.
    pub help: Vec<String>,
    /// Other places that matter, each with what it is.
    pub related: Vec<(Span, String)>,
}

impl Complaint {
    /// Something wrong at a place.
    pub fn new(span: Span, message: impl Into<Box<str>>) -> Self {
        Self { span, message: message.into(), label: "".into(), help: Vec::new(), related: Vec::new() }
    }

    /// Says beside the marker what was expected.
    pub fn label(mut self, label: impl Into<Box<str>>) -> Self {
        self.label = label.into();
        self
    }

    /// Adds what to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds what to do, if something is known.
    pub fn help_if(self, help: Option<String>) -> Self {
        match help {
            Some(help) => self.help(help),
            None => self,
        }
    }

    /// Points to another place.
    pub fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related.push((span, label.into()));
        self
    }
}

/// One error in a manifest: complete, whatever becomes of the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestError {
    /// Where it is. Line 0: the file or folder as a whole. No file: the command line.
    pub at: Excerpt,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Vec<String>,
    /// Other places that matter.
    pub related: Vec<Excerpt>,
}

/// A place with the line that stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The place.
    pub position: Position,
    /// How many characters the marker covers.
    pub width: usize,
    /// The line; a long one is cut around the marker.
    pub line: Option<String>,
    /// Where the marker begins in what is left of it, 1-based.
    pub marker: usize,
    /// What is said beside the marker.
    pub label: String,
}

impl ManifestError {
    /// An error about a file, a folder or an argument as a whole.
    pub fn whole(file: impl Into<String>, message: impl Into<String>) -> Self {
        let position = Position { file: file.into(), line: 0, column: 0 };
        let at = Excerpt { position, width: 0, line: None, marker: 0, label: String::new() };
        Self { at, message: message.into(), help: Vec::new(), related: Vec::new() }
    }

    /// Adds what to do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds what to do, if something is known.
    pub fn help_if(mut self, help: Option<String>) -> Self {
        self.help.extend(help);
        self
    }

    /// Where it is.
    pub fn position(&self) -> &Position {
        &self.at.position
    }
}

/// So many mistakes are told; of the rest, how many they are.
pub const MOST: usize = 200;

/// Longer messages are cut: what a manifest says may be of any length.
const LONGEST: usize = 2000;

/// What is wrong, of all files, by file, line and column; and how many more mistakes there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Errors(pub Vec<ManifestError>, pub usize);

impl Errors {
    pub(super) fn of(mut complaints: Vec<Complaint>, sources: &Sources) -> Self {
        let place = |it: &Complaint| {
            let file = sources.get(it.span.file).map(|file| file.path.as_str()).unwrap_or_default();
            (file, it.span.line, it.span.column)
        };
        complaints.sort_by(|a, b| (place(a), &a.message).cmp(&(place(b), &b.message)));
        complaints.dedup();
        let more = complaints.len().saturating_sub(MOST);
        complaints.truncate(MOST);
        // Of those that are told only: to see where a long line ends takes time.
        for complaint in &mut complaints {
            complaint.span = sources.inside(complaint.span);
            complaint.related.iter_mut().for_each(|(span, _)| *span = sources.inside(*span));
        }
        let said = |text: String, span: Span| cut_off(sources.veiled(span.file, text));
        let excerpt = |span: Span, label: String| {
            let position = sources.position(span);
            let quoted = sources.quoted(span);
            let quoted = quoted.map(|(shown, length)| framed(visible(&shown), length, position.column));
            let (line, marker) = quoted.map_or((None, 0), |(line, marker)| (Some(line), marker));
            Excerpt { position, width: span.width, line, marker, label: said(label, span) }
        };
        let errors = complaints.into_iter().map(|complaint| ManifestError {
            at: excerpt(complaint.span, complaint.label.into()),
            message: said(complaint.message.into(), complaint.span),
            help: complaint.help.into_iter().map(|help| said(help, complaint.span)).collect(),
            related: complaint.related.into_iter().map(|(span, label)| excerpt(span, label)).collect(),
        });
        let mut errors = Self(errors.collect(), more);
        errors.sort();
        errors
    }

    /// How many mistakes there are.
    pub fn count(&self) -> usize {
        self.0.len() + self.1
    }

    /// The same without the lines that they quote: for readers who may not see all that is in a manifest (P28).
    #[must_use]
    pub fn without_lines(&self) -> Self {
        // A place without its line is shown as the name of a file.
        let bare = |excerpt: &mut Excerpt| {
            let place = if excerpt.line.take().is_some() { excerpt.position.to_string() } else { return };
            excerpt.position = Position { file: place, line: 0, column: 0 };
        };
        let bare = |error: &ManifestError| {
            let mut error = error.clone();
            bare(&mut error.at);
            error.related.iter_mut().for_each(bare);
            error
        };
        Self(self.0.iter().map(bare).collect(), self.1)
    }

    pub(super) fn one(error: ManifestError) -> Self {
        Self(vec![error], 0)
    }

    pub(super) fn sort(&mut self) {
        self.0.sort_by(|a, b| (a.position(), &a.message).cmp(&(b.position(), &b.message)));
        self.0.dedup();
    }
}

/// The beginning of a message that would be endless.
fn cut_off(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Errors {}
impl std::error::Error for ManifestError {}
