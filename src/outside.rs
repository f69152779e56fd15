//! Text that comes from outside: names of files, of branches and of things in AWS, what AWS, GitHub and the environment say. Wherever
//! it goes, it is shown and does nothing.
//!
//! Nothing has to remember it: what the program prints passes [`printed`], [`logged`] or [`record`] in the only place that prints, and
//! GitHub is given [`Markdown`] alone.

use std::fmt;
use std::ops::Deref;
use std::path::Path;

use serde_json::Value;

/// Whether a character would do something where it is shown: end a line, so that a runner takes the next one for a command, move
/// the cursor, or turn round the direction of writing (<https://www.unicode.org/reports/tr9/#Explicit_Directional_Embeddings>).
fn is_active(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text on one line.
pub fn line(text: &str) -> String {
    escaped(text, &|_| false)
}

/// A path as the user would type it, with `/`.
pub fn path(path: &Path) -> String {
    line(&path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/"))
}

fn escaped(text: &str, stays: &dyn Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match is_active(letter) && !stays(letter) {
            true => shown.extend(letter.escape_default()),
            false => shown.push(letter),
        }
    }
    shown
}

/// Text of several lines for a terminal: colours stay, and nothing else that is more than text.
pub fn printed(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        let (before, from) = rest.split_at(at);
        shown += &escaped(before, &is_layout);
        let length = colour(from).unwrap_or(0);
        let (kept, after) = from.split_at(length);
        shown += kept;
        rest = match length {
            0 => {
                shown.extend('\u{1b}'.escape_default());
                after.get(1..).unwrap_or_default()
            }
            _ => after,
        };
    }
    shown + &escaped(rest, &is_layout)
}

fn is_layout(letter: char) -> bool {
    matches!(letter, '\n' | '\t')
}

/// How long the order is with which a text begins, if it sets a colour or a weight (ECMA-48, 8.3.117); one that hides text is none.
fn colour(text: &str) -> Option<usize> {
    let inner = text.strip_prefix("\u{1b}[")?;
    let end = inner.find(|letter: char| !letter.is_ascii_digit())?;
    let (number, after) = inner.split_at(end);
    let is_colour = matches!(number.parse::<u8>().ok()?, 0..=4 | 22..=24 | 30..=37 | 39 | 90..=97);
    (is_colour && after.starts_with('m')).then_some(end + 3)
}

/// The same for the log of a workflow, where no line is taken for a command
/// (<https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>).
pub fn logged(text: &str) -> String {
    let line = |line: &str| match line.trim_start().starts_with("::") {
        true => line.replacen("::", ": :", 1),
        false => line.to_owned(),
    };
    let lines: Vec<String> = printed(text).replace("##[", "# #[").split('\n').map(line).collect();
    lines.join("\n")
}

/// A JSON record on one line: such characters stand in its texts only, and are written there as escapes.
pub fn record(record: &Value) -> String {
    let mut text = String::new();
    for letter in record.to_string().replace("##[", "##\\u005b").chars() {
        match is_active(letter) {
            true => text += &format!("\\u{:04x}", u32::from(letter)),
            false => text.push(letter),
        }
    }
    text
}

/// Text for a comment, an issue or a summary, in which all that comes from outside is code, or escaped, or stands in a fence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Markdown(String);

impl Markdown {
    /// Of a text that was put together so.
    pub fn of(text: impl AsRef<str>) -> Self {
        Self(escaped(text.as_ref(), &is_layout))
    }

    /// A text from outside, that is to stay text but for what it puts into backticks itself.
    pub fn text(text: &str) -> Self {
        let text: String = text.chars().map(|letter| if is_active(letter) { ' ' } else { letter }).collect();
        let parts: Vec<&str> = text.split('`').collect();
        let closed = parts.len() % 2 == 1;
        let mut cell = String::new();
        for (index, part) in parts.iter().enumerate() {
            if closed && index % 2 == 1 {
                cell += &Self::code(part);
            } else {
                part.chars().for_each(|letter| escape(letter, &mut cell));
            }
        }
        Self(cell)
    }

    /// A name from outside as code; it holds no backticks then, and no bar that would end a table's cell.
    pub fn code(text: &str) -> Self {
        let text: String = text.chars().map(|letter| if is_active(letter) { ' ' } else { letter }).collect();
        Self(format!("`{}`", text.replace('`', "'").replace('|', "\\|")))
    }
}

fn escape(letter: char, text: &mut String) {
    match letter {
        '<' => text.push_str("&lt;"),
        '>' => text.push_str("&gt;"),
        '&' => text.push_str("&amp;"),
        '@' => text.push_str("&#64;"),
        '|' | '[' | ']' | '*' | '_' | '\\' | '~' => text.extend(['\\', letter]),
        letter => text.push(letter),
    }
}

impl Deref for Markdown {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Markdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What a runner, a terminal or a reader's eye would obey.
    const EVIL: &str = "a\n::stop-commands::x\n  ::add-mask::y\n##[error]z\u{1b}[2J\u{1b}]0;t\u{7}\u{9b}31m\r\u{202e}\u{2028}<img>";

    #[test]
    fn a_path_does_nothing_where_it_is_shown() {
        let raw = "a\n::stop-commands::x\u{1b}[2J\r\u{202e}/é.yaml";
        assert_eq!(path(Path::new(raw)), r"a\n::stop-commands::x\u{1b}[2J\r\u{202e}/é.yaml");
    }

    #[test]
    fn a_terminal_is_given_text_and_colours() {
        let shown = printed(EVIL);
        assert!(shown.chars().all(|letter| !is_active(letter) || letter == '\n'), "{shown:?}");
        let ours = "\u{1b}[1m\u{1b}[31merror\u{1b}[0m:\t\u{1b}[2mx\u{1b}[0m\n";
        assert_eq!(printed(ours), ours);
        for order in ["\u{1b}[8m", "\u{1b}[2J", "\u{1b}[1;1H", "\u{1b}]8;;http://x\u{7}", "\u{1b}[", "\u{1b}"]
        {
            assert!(!printed(order).contains('\u{1b}'), "{order:?}");
        }
    }

    #[test]
    fn no_line_of_a_workflows_log_is_a_command() {
        let log = logged(EVIL);
        assert!(log.lines().all(|line| !line.trim_start().starts_with("::")), "{log:?}");
        assert!(!log.contains("##[") && !log.contains('\u{1b}') && !log.contains('\r'), "{log:?}");
    }

    #[test]
    fn a_record_is_one_line_and_says_the_same() {
        let written = record(&json!({"a": EVIL, "b": [1, "::x"]}));
        assert!(written.chars().all(|letter| !is_active(letter)) && !written.contains("##["), "{written:?}");
        assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), json!({"a": EVIL, "b": [1, "::x"]}));
    }

    #[test]
    fn markdown_from_outside_is_no_markdown() {
        for text in [Markdown::text(EVIL), Markdown::code(EVIL), Markdown::of(EVIL)] {
            assert!(text.chars().all(|letter| !is_active(letter) || letter == '\n'), "{text:?}");
        }
        assert_eq!(&*Markdown::text("<b>@a `c|<d>` [x](y)"), "&lt;b&gt;&#64;a `c\\|<d>` \\[x\\](y)");
        assert_eq!(&*Markdown::code("a`|\n# b"), "`a'\\| # b`");
    }
}
