//! Errors as text: the message, the place, the line with a marker, what was expected, what to do.

use std::fmt::Write;
use std::ops::Range;

use anstyle::{AnsiColor, Style};

use super::error::{Errors, Excerpt, ManifestError};

/// Longer lines are cut around the marker.
const WIDEST: usize = 160;

struct Palette {
    error: Style,
    strong: Style,
    frame: Style,
    help: Style,
}

impl Palette {
    fn new(colour: bool) -> Self {
        if !colour {
            let plain = Style::new();
            return Self { error: plain, strong: plain, frame: plain, help: plain };
        }
        Self {
            error: AnsiColor::Red.on_default().bold(),
            strong: Style::new().bold(),
            frame: AnsiColor::Blue.on_default().bold(),
            help: AnsiColor::Cyan.on_default(),
        }
    }
}

fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

impl Errors {
    /// All errors, and how many there are.
    pub fn render(&self, colour: bool) -> String {
        let mut text: String = self.0.iter().map(|error| error.render(colour) + "\n").collect();
        let palette = Palette::new(colour);
        if self.1 > 0 {
            let more = if self.1 == 1 { "error" } else { "errors" };
            let _ = writeln!(text, "and {} more {more}\n", self.1);
        }
        let many = match self.count() {
            1 => "1 error in the manifests".to_owned(),
            n => format!("{n} errors in the manifests"),
        };
        let _ = writeln!(text, "{}: {many}; AWS was not called", paint(palette.error, "error"));
        text
    }
}

impl ManifestError {
    /// The error as text of several lines.
    pub fn render(&self, colour: bool) -> String {
        let palette = Palette::new(colour);
        let excerpts = || std::iter::once(&self.at).chain(&self.related);
        let widest = excerpts().map(|excerpt| excerpt.position.line).max().unwrap_or_default();
        let gutter = if widest == 0 { 1 } else { widest.to_string().len() };
        let mut text = String::new();
        let _ = writeln!(
            text,
            "{}: {}",
            paint(palette.error, "error"),
            paint(palette.strong, &visible(&self.message))
        );
        for (index, excerpt) in excerpts().enumerate() {
            let first = index == 0;
            let style = if first { palette.error } else { palette.frame };
            write_excerpt(&mut text, excerpt, gutter, first, &palette, style);
        }
        for help in &self.help {
            let edge = paint(palette.frame, &format!("{:gutter$} =", ""));
            let _ = writeln!(text, "{edge} {}: {}", paint(palette.help, "help"), visible(help));
        }
        text
    }
}

fn write_excerpt(
    text: &mut String,
    it: &Excerpt,
    gutter: usize,
    first: bool,
    palette: &Palette,
    style: Style,
) {
    let position = &it.position;
    if position.file.is_empty() {
        return;
    }
    let arrow = paint(palette.frame, &format!("{:gutter$}{}", "", if first { "-->" } else { ":::" }));
    let Some(line) = it.line.as_deref().filter(|_| position.line > 0) else {
        let _ = writeln!(text, "{arrow} {}", position.file);
        return;
    };
    let _ = writeln!(text, "{arrow} {position}");
    let bar = paint(palette.frame, &format!("{:gutter$} |", ""));
    let column = it.marker.max(1);
    let room = line.chars().count().saturating_sub(column - 1).max(1);
    let marker = if first { "^" } else { "-" }.repeat(it.width.clamp(1, room));
    let marker = [marker.as_str(), it.label.as_str()].join(" ");
    let number = paint(palette.frame, &format!("{:>gutter$} |", position.line));
    let _ = writeln!(text, "{bar}");
    let _ = writeln!(text, "{}", format!("{number} {line}").trim_end());
    let _ = writeln!(
        text,
        "{bar} {:indent$}{}",
        "",
        paint(style, visible(&marker).trim_end()),
        indent = column - 1
    );
}

/// One character for each, so that the marker stands below what it marks, and no terminal takes a file's orders.
pub(super) fn visible(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c == '\t' {
                ' '
            } else if c.is_control() {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

/// Which characters of a line of so many are shown, 0-based: of a long one those around the marker.
pub(super) fn window(length: usize, column: usize) -> Range<usize> {
    let start = column.saturating_sub(1 + WIDEST / 2).min(length.saturating_sub(WIDEST));
    start..length.min(start + WIDEST)
}

/// What is shown of a line of so many characters, with a sign where it is cut; and the marker's column in it.
pub(super) fn framed(mut shown: String, length: usize, column: usize) -> (String, usize) {
    let window = window(length, column);
    let mut shift = 0;
    if window.start > 0 {
        shown.insert(0, '…');
        shift = 1;
    }
    if window.end < length {
        shown.push('…');
    }
    let room = shown.chars().count() + 1;
    (shown, (column.max(1) - window.start + shift).clamp(1, room))
}
