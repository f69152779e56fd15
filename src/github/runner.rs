//! What a runner reads: annotations on stdout, a step's outputs, the job summary.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use super::{Error, Result};
use crate::outside::{self, Markdown};
use crate::resource::Position;

/// How loud an annotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It stands in the way.
    Error,
    /// Look at it.
    Warning,
    /// For your information.
    Notice,
}

/// A remark on a manifest's line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// How loud.
    pub level: Level,
    /// Where; without it, on the run as a whole.
    pub position: Option<Position>,
    /// What it is about.
    pub title: String,
    /// The remark.
    pub message: String,
}

impl Annotation {
    /// The line that a runner takes for an annotation. Nothing in it can end the line or begin another command.
    pub fn line(&self) -> String {
        let level = match self.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Notice => "notice",
        };
        let mut properties = vec![format!("title={}", property(&self.title))];
        if let Some(at) = &self.position {
            properties.push(format!("file={}", property(&at.file)));
            if at.line > 0 {
                properties.push(format!("line={}", at.line));
                properties.push(format!("col={}", at.column.max(1)));
            }
        }
        format!("::{level} {}::{}", properties.join(","), data(&self.message))
    }
}

fn data(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(outside::line).collect();
    lines.join("\n").replace('%', "%25").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Appends to the job summary, which holds at most 1 MiB for each step.
pub fn append_summary(path: &Path, text: &Markdown) -> Result<()> {
    append(path, &format!("{text}\n"))
}

/// Writes a step's outputs. A value never reaches over its line.
pub fn write_outputs<N: AsRef<str>>(path: &Path, outputs: &[(N, String)]) -> Result<()> {
    let line = |(name, value): &(N, String)| {
        let value: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        format!("{}={value}\n", name.as_ref())
    };
    append(path, &outputs.iter().map(line).collect::<String>())
}

fn append(path: &Path, text: &str) -> Result<()> {
    let failed = |error| Error::File { path: outside::path(path), error };
    let mut file = OpenOptions::new().create(true).append(true).open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_annotation_is_one_line_whatever_it_says() {
        let annotation = Annotation {
            level: Level::Error,
            position: Some(Position { file: "manifests/a,b.yaml".into(), line: 3, column: 0 }),
            title: "iam/Role/x: y".into(),
            message: "100% wrong\n::set-output name=a::b\u{1b}[2J".into(),
        };
        assert_eq!(
            annotation.line(),
            "::error title=iam/Role/x%3A y,file=manifests/a%2Cb.yaml,line=3,col=1::100%25 wrong%0A::set-output name=a::b\\u{1b}[2J"
        );
    }

    #[test]
    fn outputs_and_summary_are_appended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        write_outputs(&path, &[("changes", "true".into()), ("evil", "a\nb=c".into())]).unwrap();
        append_summary(&path, &Markdown::of("## more")).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "changes=true\nevil=a b=c\n## more\n");
    }
}
