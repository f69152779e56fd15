//! Inputs that nobody writes, made of those that are stored: the same from the same seed.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use super::graft::grafted;

/// SplitMix64 (<https://prng.di.unimi.it/splitmix64.c>): a seed is all that it takes to draw the same again.
pub struct Draw(u64);

impl Draw {
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `most`; 0, if there is none.
    pub fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.number()).unwrap_or(0).checked_rem(most).unwrap_or(0)
    }

    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// What is tried, and what is drawn for it.
pub struct Target<'a> {
    /// Its folder under tests/corpus.
    pub name: &'a str,
    /// Further inputs that are stored elsewhere.
    pub more: Vec<String>,
    /// What its language is made of.
    pub words: &'a [&'a str],
    /// Whether it is YAML, of which values can be changed and not only letters.
    pub is_yaml: bool,
    /// How many inputs `cargo test` draws.
    pub cases: u64,
    /// Tries one: what was said of it, or `Err` with what is wrong with that.
    pub attempt: &'a dyn Fn(&str) -> Result<Said, String>,
}

/// What became of an input that was treated as it should be.
pub struct Said {
    /// Whether it was taken.
    pub taken: bool,
    /// What is new about an input whose like has not been seen.
    pub like: BTreeSet<String>,
}

/// Inputs whose like had not been seen are drawn from, too, up to so many.
const MOST_KEPT: usize = 4_000;

/// Longer inputs are cut.
const LONGEST: usize = 40_000;

/// All that is stored, then what is drawn from it. `BATCHWRIGHT_FUZZ_SECONDS=3600` draws for so long, from a fresh seed;
/// `BATCHWRIGHT_FUZZ_SEED` is the seed, to have it again.
pub fn run(target: &Target<'_>) {
    let asked = |name: &str| std::env::var(name).ok().and_then(|it| it.parse::<u64>().ok());
    let seconds = asked("BATCHWRIGHT_FUZZ_SECONDS").map(Duration::from_secs);
    let fresh = || SystemTime::UNIX_EPOCH.elapsed().map_or(0, |it| it.as_nanos() as u64);
    let seed = asked("BATCHWRIGHT_FUZZ_SEED").unwrap_or_else(|| seconds.map_or(0, |_| fresh()));
    let begun = Instant::now();
    let goes_on = |case: u64| seconds.map_or(case < target.cases, |most| begun.elapsed() < most);
    let mut inputs = stored(target.name);
    assert!(!inputs.is_empty(), "tests/corpus/{} holds nothing", target.name);
    inputs.extend(target.more.iter().cloned());
    let (mut known, mut taken, mut case) = (BTreeSet::new(), [0_u64; 2], 0);
    let mut slowest = (Duration::ZERO, String::new());
    let mut found = BTreeSet::new();
    let stored = inputs.len() as u64;
    while case < stored || goes_on(case - stored) {
        let input = match usize::try_from(case).ok().filter(|_| case < stored) {
            Some(at) => inputs[at].clone(),
            None => {
                drawn(&mut Draw(seed.wrapping_mul(0x1000_0000_01b3) ^ case), &inputs, stored as usize, target)
            }
        };
        let begun = Instant::now();
        let said = catch_unwind(AssertUnwindSafe(|| (target.attempt)(&input)));
        if begun.elapsed() > slowest.0 {
            slowest = (begun.elapsed(), input.clone());
        }
        match said.unwrap_or_else(|panic| Err(format!("it panicked: {}", message(&*panic)))) {
            Ok(said) => {
                taken[usize::from(said.taken)] += 1;
                let new = said.like.into_iter().filter(|it| !known.contains(it)).collect::<Vec<_>>();
                if !new.is_empty() && case >= stored && inputs.len() < MOST_KEPT {
                    inputs.push(input);
                }
                known.extend(new);
            }
            Err(wrong) => {
                let path = format!("{}/fuzz-{}-{seed}-{case}", env!("CARGO_TARGET_TMPDIR"), target.name);
                std::fs::write(&path, &input).unwrap();
                let told = format!("{wrong}\n  of {path}; store it in tests/corpus/{}/", target.name);
                // By hand it goes on: one fault shall not hide the next.
                assert!(seconds.is_some(), "{told}\n{input}");
                if found.insert(wrong.chars().take(60).collect::<String>()) {
                    println!("FOUND {told}");
                }
            }
        }
        case += 1;
    }
    if seconds.is_some() {
        let path = format!("{}/fuzz-{}-slowest", env!("CARGO_TARGET_TMPDIR"), target.name);
        std::fs::write(&path, &slowest.1).unwrap();
        println!("slowest: {:?}, {path}", slowest.0);
    }
    println!(
        "{}: seed {seed}, {case} inputs, {} taken, {} kept for being new, {:.0} s",
        target.name,
        taken[1],
        inputs.len() as u64 - stored,
        begun.elapsed().as_secs_f64()
    );
    assert!(found.is_empty(), "{found:#?}");
    // Where all is refused, or nothing, little was tried.
    assert!(taken.iter().all(|count| count * 50 > case), "{} refused, {} taken", taken[0], taken[1]);
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("something").to_owned()
}

/// The inputs of a folder of tests/corpus, in order of their names.
fn stored(name: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(name);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned()).collect()
}

/// One of the inputs with some changes.
fn drawn(draw: &mut Draw, inputs: &[String], stored: usize, target: &Target<'_>) -> String {
    let words = target.words;
    // Most of what is new is wrong: drawn from that alone, little would be right.
    let most = if draw.below(3) > 0 { stored } else { inputs.len() };
    let mut text = draw.one(&inputs[..most]).clone();
    let other = draw.one(inputs);
    if target.is_yaml
        && draw.below(5) < 3
        && let Some(mut grafted) = grafted(draw, &text, other, words, ODD)
    {
        grafted.truncate(border(&grafted, LONGEST));
        return grafted;
    }
    let changes = *draw.one(&[1, 1, 1, 2, 2, 3, 5]);
    for _ in 0..changes {
        text = match draw.below(4) {
            0 => in_lines(draw, &text, inputs),
            _ => in_text(draw, text, words),
        };
    }
    text.truncate(border(&text, LONGEST));
    text
}

/// The last border between characters that is not behind `at`.
fn border(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// Characters that mean something to somebody, or nothing to anybody.
const ODD: &[&str] = &[
    "\0",
    "\t",
    "\n",
    "\r",
    "\r\n",
    " ",
    "  ",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "\u{200b}",
    "\u{7f}",
    "é",
    "\u{1b}[31m",
    "😀",
    "e\u{301}",
    "\u{202e}",
    "\u{fffd}",
    "0",
    "-1",
    "1e400",
    "0x10",
    "9223372036854775808",
    "0.1",
    "~",
    "null",
    "true",
    "no",
    "'",
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    ": ",
    "- ",
    "#",
    " #",
    "&a",
    "*a",
    "<<: *a",
    "!!str ",
    "!x ",
    "|",
    ">-",
    "%",
    "@",
    "`",
    "?",
    "---\n",
    "...\n",
    "$",
    "${",
    "$${",
    "a",
];

fn in_text(draw: &mut Draw, mut text: String, words: &[&str]) -> String {
    let from = border(&text, draw.below(text.len() + 1));
    let to = border(&text, from + draw.below(12));
    let to = if to < from { from } else { to };
    match draw.below(16) {
        0 => text.replace_range(from..to, ""),
        1 => text.insert_str(from, draw.one::<&str>(ODD)),
        2 => text.replace_range(from..to, draw.one::<&str>(ODD)),
        3 => text.insert_str(from, draw.one::<&str>(words)),
        4 => text.replace_range(from..to, draw.one::<&str>(words)),
        5 => {
            let piece = text[from..to].repeat(1 + draw.below(40));
            text.insert_str(from, &piece);
        }
        // One word for another, which keeps what stands around it whole.
        _ => {
            let is_word = |c: char| c.is_alphanumeric() || matches!(c, '.' | '/' | '-' | '_');
            let begin = text[..from].rfind(|c| !is_word(c)).map_or(0, |at| border(&text, at + 1));
            let begin = if begin > from { from } else { begin };
            let end = text[from..].find(|c| !is_word(c)).map_or(text.len(), |at| from + at);
            let new = if draw.below(4) == 0 { *draw.one(ODD) } else { *draw.one(words) };
            text.replace_range(begin..end, new);
        }
    }
    text
}

fn in_lines(draw: &mut Draw, text: &str, inputs: &[String]) -> String {
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let at = draw.below(lines.len());
    let until = (at + 1 + draw.below(4)).min(lines.len());
    match draw.below(7) {
        0 => drop(lines.drain(at..until)),
        1 => {
            let again = lines[at..until].to_vec();
            lines.splice(at..at, again);
        }
        2 => lines.swap(at, until - 1),
        3 => lines[at..until].iter_mut().for_each(|line| line.insert_str(0, "  ")),
        4 => lines[at..until].iter_mut().for_each(|line| *line = line.trim_start().to_owned()),
        5 => {
            let other: Vec<&str> = draw.one(inputs).split('\n').collect();
            let from = draw.below(other.len());
            let to = (from + 1 + draw.below(8)).min(other.len());
            lines.splice(at..at, other[from..to].iter().map(|line| (*line).to_owned()));
        }
        _ => {
            let value = lines[until - 1].split_once(": ").map(|(_, value)| value.to_owned());
            if let (Some((key, _)), Some(value)) = (lines[at].split_once(": "), value) {
                lines[at] = format!("{key}: {value}");
            }
        }
    }
    lines.join("\n")
}
