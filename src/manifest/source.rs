//! The files that are read, and places in them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use super::error::Complaint;
use super::foreign::is_pseudo;
use super::masked;
use super::render::window;
use super::variables::names_something;
use crate::diff::MASK;
use crate::outside;
use crate::resource::Position;

/// A manifest larger than this is refused: a thousand of the longest job definitions fit.
pub const LARGEST: u64 = 1024 * 1024;

/// A place in a file. Lines and columns are 1-based, columns and widths in characters; line 0 is the file as a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Which file, as [`Sources`] counts them.
    pub file: usize,
    /// Its first line.
    pub line: usize,
    /// Where it begins in that line.
    pub column: usize,
    /// How many characters of that line it takes.
    pub width: usize,
}

impl Span {
    /// The width of what takes more than one line.
    pub const OVER_LINES: usize = usize::MAX;

    /// What follows it in its line, but for the colon behind a key.
    pub fn rest(self) -> Self {
        let column = self.column.saturating_add(self.width).saturating_add(1);
        Self { column, width: Self::OVER_LINES, ..self }
    }

    /// A file as a whole.
    pub fn whole(file: usize) -> Self {
        Self { file, ..Self::default() }
    }
}

/// One file.
#[derive(Debug)]
pub struct Source {
    /// As the user would type it.
    pub path: String,
    /// Its text, without a byte order mark.
    pub text: String,
    /// Where every so many lines a line begins.
    marks: Vec<usize>,
}

/// Between two of those places there are so many lines.
const APART: usize = 64;

impl Source {
    fn new(path: String, text: String) -> Self {
        let marks = starts(&text).step_by(APART).collect();
        Self { path, text, marks }
    }

    /// The lines from one on, 0-based.
    fn lines_from(&self, first: usize) -> impl Iterator<Item = &str> {
        let rest = self.marks.get(first / APART).and_then(|from| self.text.get(*from..));
        let lines = rest.into_iter().flat_map(lines);
        lines.skip(first % APART)
    }
}

/// Where lines begin.
fn starts(text: &str) -> impl Iterator<Item = usize> {
    let bytes = text.as_bytes();
    let ends = move |at: &usize| match bytes.get(*at) {
        Some(b'\n') => true,
        Some(b'\r') => bytes.get(at + 1) != Some(&b'\n'),
        _ => false,
    };
    std::iter::once(0).chain((0..bytes.len()).filter(ends).map(|at| at + 1))
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut parts = text.split('\n').peekable();
    let parts = std::iter::from_fn(move || {
        let part = parts.next()?;
        let ends_in_both = parts.peek().and_then(|_| part.strip_suffix('\r'));
        Some(ends_in_both.unwrap_or(part))
    });
    parts.flat_map(|part| part.split('\r'))
}

/// A value that is shown nowhere.
#[derive(Debug)]
pub struct Hidden {
    /// Where it begins, and what of that line it takes.
    pub span: Span,
    /// Its last line.
    pub last: usize,
    /// The value.
    pub value: String,
}

impl Hidden {
    /// Which characters of a line it takes, 0-based.
    fn takes(&self, line: usize) -> Option<Range<usize>> {
        let from = self.span.column.saturating_sub(1);
        match line == self.span.line {
            true => Some(from..from.saturating_add(self.span.width)),
            false => (self.span.line..=self.last).contains(&line).then_some(0..usize::MAX),
        }
    }
}

/// Whether a text is nothing but the name of what stands there: no secret, and what is said of it is about that name.
fn is_a_name(text: &str) -> bool {
    let open = ["${", "#{", "$("].iter().find_map(|open| text.strip_prefix(open));
    let name = open.and_then(|rest| rest.strip_suffix(['}', ')']));
    name.is_some_and(|name| names_something(name) || is_pseudo(name))
}

/// How many characters of a line are quoted of which it is not known what in it is masked: its first key, if it is a field of ours.
fn outline(line: &str) -> usize {
    let indent = line.len() - line.trim_start_matches([' ', '\t', '-', '?']).len();
    let (before, rest) = line.split_at(indent);
    let key = rest.split_once(':').filter(|(_, after)| after.is_empty() || after.starts_with([' ', '\t']));
    let key = key.map(|(key, _)| key).filter(|key| masked::is_a_word(key));
    before.chars().count() + key.map_or(0, |key| key.chars().count() + 1)
}

/// Where a comment begins behind the first so many characters of a line.
fn comment(line: &str, behind: usize) -> Option<usize> {
    let mut letters = line.chars();
    let mut before = behind.checked_sub(1).and_then(|last| letters.nth(last)).unwrap_or(' ');
    let found = letters.position(|letter| {
        let begins = letter == '#' && before.is_whitespace();
        before = letter;
        begins
    });
    found.map(|at| behind + at)
}

/// What stands before a masked value and is no key: its anchor and its tag, of which parts of a line the first so many characters are.
fn decorations(letters: &[char]) -> Vec<Range<usize>> {
    let ends = |letter: &char| letter.is_whitespace() || [',', '[', ']', '{', '}'].contains(letter);
    let mut found = Vec::new();
    let mut at = 0;
    for word in letters.split(ends) {
        if word.starts_with(&['&']) || word.starts_with(&['!']) {
            found.push(at..at + word.len());
        }
        at += word.len() + 1;
    }
    found
}

/// All files of one load, in the order in which they were read.
#[derive(Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
    /// By file.
    hidden: BTreeMap<usize, Vec<Hidden>>,
    /// From which line on a file could not be read.
    unread: BTreeMap<usize, usize>,
}

/// A value of so many characters is looked for wherever it may stand in a message; a shorter one would be found in other words, and
/// is looked for in quotes.
const TELLING: usize = 6;

/// So far before a part of a line that is quoted begins the longest word that is looked at as a whole.
const WORD: usize = 256;

impl Sources {
    /// Adds a text.
    pub fn add(&mut self, path: String, text: String) -> usize {
        self.files.push(Source::new(path, text));
        self.files.len() - 1
    }

    /// Reads a file, and says what keeps it from being text.
    pub fn read(&mut self, path: &Path) -> Result<usize, Complaint> {
        let shown = outside::path(path);
        let bytes = match bytes(path) {
            Ok(bytes) => bytes,
            Err((message, help)) => {
                let file = self.add(shown, String::new());
                return Err(Complaint::new(Span::whole(file), message).help(help));
            }
        };
        match String::from_utf8(bytes) {
            Ok(text) => {
                let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
                let file = self.add(shown, text);
                self.printable(file).inspect_err(|_| self.could_not_read(file, 1))?;
                Ok(file)
            }
            Err(error) => Err(self.not_text(shown, error.as_bytes(), error.utf8_error().valid_up_to())),
        }
    }

    /// A file by its number.
    pub fn get(&self, file: usize) -> Option<&Source> {
        self.files.get(file)
    }

    /// A line of a file, 1-based.
    pub fn line(&self, span: Span) -> Option<&str> {
        self.files.get(span.file)?.lines_from(span.line.checked_sub(1)?).next()
    }

    /// Hides values from all that is quoted from now on.
    pub fn hide(&mut self, hidden: Vec<Hidden>) {
        for hidden in hidden {
            self.hidden.entry(hidden.span.file).or_default().push(hidden);
        }
    }

    /// From a line on, nobody knows what of a file is masked: of its lines hardly more than the first key is quoted.
    pub fn could_not_read(&mut self, file: usize, from: usize) {
        self.unread.insert(file, from);
    }

    /// What may be quoted of a line, around a place if it is long, without what is hidden, each character of that another; and how many
    /// characters the line has.
    pub fn quoted(&self, span: Span) -> Option<(String, usize)> {
        let line = self.line(span)?;
        let length = line.chars().count();
        let window = window(length, span.column);
        // What begins before the window may reach into it.
        let first = window.start.saturating_sub(WORD);
        let letters: Vec<char> = line.chars().skip(first).take(window.end - first).collect();
        let mut veiled = letters.clone();
        let mut veil = |taken: Range<usize>| {
            let (from, to) = (taken.start.saturating_sub(first), taken.end.saturating_sub(first));
            let here = veiled.get_mut(from..to.min(letters.len())).into_iter().flatten();
            here.filter(|letter| !letter.is_whitespace()).for_each(|letter| *letter = '•');
        };
        if self.unread.get(&span.file).is_some_and(|from| *from <= span.line) {
            veil(outline(line)..usize::MAX);
            // The mark of YAML's at which reading ended.
            let at = span.column.saturating_sub(1).saturating_sub(first);
            let mark = letters.get(at).filter(|letter| letter.is_ascii_punctuation());
            if let (Some(mark), Some(shown)) = (mark, veiled.get_mut(at)) {
                *shown = *mark;
            }
        } else {
            let mut last = None;
            for taken in
                self.hidden.get(&span.file).into_iter().flatten().filter_map(|it| it.takes(span.line))
            {
                last = last.max(Some(taken.end));
                veil(taken);
            }
            if let Some(last) = last {
                decorations(&letters).into_iter().for_each(|it| veil(it.start + first..it.end + first));
                veil(comment(line, last.min(length)).unwrap_or(length)..usize::MAX);
            }
        }
        Some((veiled.into_iter().skip(window.start - first).collect(), length))
    }

    /// What is said of a file, without the hidden values that stand in it.
    pub fn veiled(&self, file: usize, said: String) -> String {
        let mut said = said;
        for hidden in self.hidden.get(&file).into_iter().flatten() {
            for part in hidden.value.lines().map(str::trim).filter(|part| !part.is_empty()) {
                if !said.contains(part) || is_a_name(part) || masked::is_a_word(part) {
                } else if part.chars().count() >= TELLING {
                    said = said.replace(part, MASK);
                } else {
                    for quote in ['`', '"', '\''] {
                        said = said.replace(&format!("{quote}{part}{quote}"), MASK);
                    }
                }
            }
        }
        said
    }

    /// The same place, or the last of the file: parsers give up behind its end.
    pub fn inside(&self, span: Span) -> Span {
        let Some(source) = self.files.get(span.file).filter(|_| span.line > 0) else { return span };
        let (line, text) = match self.line(span) {
            Some(text) => (span.line, text),
            None => lines(&source.text).enumerate().last().map_or((1, ""), |(at, text)| (at + 1, text)),
        };
        let end = text.chars().count() + 1;
        match line == span.line && span.column <= end {
            true => span,
            false => Span { file: span.file, line, column: end, width: 1 },
        }
    }

    /// The place in the words of the rest of the program.
    pub fn position(&self, span: Span) -> Position {
        let file = self.files.get(span.file).map(|file| file.path.clone()).unwrap_or_default();
        Position { file, line: span.line, column: span.column }
    }

    /// Where `needle` stands for the `nth` time (0-based) at or after a scalar's beginning; the scalar itself, if it
    /// is written in another way there (escaped, or folded over lines).
    pub fn find(&self, within: Span, needle: &str, nth: usize) -> Span {
        let Some(source) = self.files.get(within.file) else { return within };
        let mut left = nth;
        let first = within.line.max(1);
        for (offset, line) in source.lines_from(first - 1).take(400).enumerate() {
            let skip = if offset == 0 { within.column.saturating_sub(1) } else { 0 };
            let start: usize = line.chars().take(skip).map(char::len_utf8).sum();
            let rest = line.get(start..).unwrap_or_default();
            for (at, _) in rest.match_indices(needle) {
                if left == 0 {
                    let before = rest.get(..at).unwrap_or_default().chars().count();
                    let width = needle.chars().count();
                    return Span {
                        file: within.file,
                        line: first + offset,
                        column: skip + before + 1,
                        width,
                    };
                }
                left -= 1;
            }
        }
        within
    }

    /// YAML takes no control characters, and some parsers take NUL for the end of the file.
    fn printable(&self, file: usize) -> Result<(), Complaint> {
        let Some(source) = self.files.get(file) else { return Ok(()) };
        for (index, line) in lines(&source.text).enumerate() {
            for (column, c) in line.chars().enumerate() {
                if (c.is_control() && c != '\t' && c != '\u{85}') || c == '\u{fffe}' || c == '\u{ffff}' {
                    let span = Span { file, line: index + 1, column: column + 1, width: 1 };
                    let message =
                        format!("the control character U+{:04X} is not allowed in YAML", u32::from(c));
                    return Err(Complaint::new(span, message)
                        .help("remove it, or write it as an escape in a double-quoted text"));
                }
            }
        }
        Ok(())
    }

    fn not_text(&mut self, path: String, bytes: &[u8], valid: usize) -> Complaint {
        let before = String::from_utf8_lossy(bytes.get(..valid).unwrap_or_default());
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let byte = bytes.get(valid).copied().unwrap_or_default();
        let file = self.add(path, String::from_utf8_lossy(bytes).into_owned());
        self.could_not_read(file, 1);
        let help = match bytes {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "this looks like UTF-16: save the file as UTF-8",
            _ => "save the file as UTF-8",
        };
        Complaint::new(Span { file, line, column, width: 1 }, format!("the byte 0x{byte:02x} is not UTF-8"))
            .help(help)
    }
}

/// The content of a file, or why it can't be had and what to do.
fn bytes(path: &Path) -> Result<Vec<u8>, (String, &'static str)> {
    let failed = |error: std::io::Error| {
        (format!("the file can't be read: {error}"), "see to it that whoever runs this may read it")
    };
    if is_link(path) {
        return Err((LINK.to_owned(), "put the file itself there"));
    }
    if !fs::symlink_metadata(path).map_err(failed)?.is_file() {
        // A pipe that nobody writes to would be waited for without end.
        return Err((
            "this is a pipe or a device; manifests are plain files".to_owned(),
            "put a plain file there",
        ));
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    // It may grow while it is read.
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LARGEST {
        let size = size.max(bytes.len() as u64);
        let message = format!(
            "the file is too large for a manifest: {:.1} MiB, at most {} MiB",
            size as f64 / (1024.0 * 1024.0),
            LARGEST / (1024 * 1024)
        );
        return Err((message, "keep generated data out of the manifests, or split the file"));
    }
    Ok(bytes)
}

/// Whether a path is a link. Manifests may come from strangers (a pull request of a fork), and what is wrong in them is quoted:
/// a link could have any file of the machine quoted.
pub fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink())
}

/// Why a link is not followed.
pub const LINK: &str = "this is a link; manifests are plain files in plain folders";

#[cfg(test)]
mod tests {
    use super::*;

    /// Nobody writes to the pipe: it would be waited for without end.
    #[cfg(unix)]
    #[test]
    fn a_pipe_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("x.yaml");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let (message, _) = bytes(&pipe).unwrap_err();
        assert!(message.contains("pipe"), "{message}");
    }
}
