//! Texts and files that nobody would write: stored ones, and mutations of them.
//!
//! In a test run, so many mutations of each corpus as take a few seconds, always the same ones. By hand,
//! `BATCHWRIGHT_FUZZ_SECONDS=3600 cargo test -p batchwright-worker --lib fuzz -- --nocapture` goes on for an hour, with
//! `BATCHWRIGHT_FUZZ_SEED` for others. What fails is written into the corpus, `worker/tests/corpus`, where every run begins.

mod mutations;
mod readers;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mutations::Random;

use super::pieces::{in_pieces, whole};
use super::*;
use crate::memory;
use crate::place::{Entry, Place, Ranges};

/// More memory than the whole process, with all its other tests, may ever have taken.
const MOST: u64 = 400 << 20;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// Takes a failing input into the corpus, unless it is told that nothing failed.
struct Kept(Option<(PathBuf, Vec<u8>)>);

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some((path, input)) = self.0.take() {
            eprintln!("fails: {}", path.display());
            fs::write(path, input).unwrap();
        }
    }
}

/// Checks all inputs of the corpus, then `count` mutations of them, or as many as the time by hand allows.
fn fuzz(corpus: &str, count: u64, check: fn(&[u8], &mut Random)) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(corpus);
    let mut paths: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let inputs: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    assert!(!inputs.is_empty());
    let seed = setting("BATCHWRIGHT_FUZZ_SEED").unwrap_or(1);
    let mut random = Random(seed);
    for input in &inputs {
        check(input, &mut random);
    }
    let (begun, time) = (Instant::now(), setting("BATCHWRIGHT_FUZZ_SECONDS").map(Duration::from_secs));
    let mut done = 0;
    while time.map_or(done < count, |time| begun.elapsed() < time) {
        let input = random.mutated(&inputs, corpus == "parquet");
        let mut kept = Kept(Some((folder.join(format!("found-{seed}-{done}")), input.clone())));
        check(&input, &mut random);
        let peak = memory::peak().unwrap_or(0);
        assert!(peak < MOST, "{peak} bytes");
        kept.0 = None;
        done += 1;
    }
    if time.is_some() {
        eprintln!("{corpus}: {done} executions from seed {seed}, peak {:?}", memory::peak());
    }
}

/// What came of a text: its result, and what was left out, or the error.
fn told(result: Result<Totals, impl ToString>) -> Result<(String, Skipped), String> {
    let totals = result.map_err(|error| error.to_string())?;
    let json = to_json(&totals.summary).map(|json| String::from_utf8(json).unwrap());
    Ok((json.unwrap_or_else(|error| error), totals.skipped))
}

/// The pieces of a text make the whole, wherever it is cut.
fn cut_anywhere(text: &[u8], format: Format, random: &mut Random) {
    for policy in [BadRows::Fail, BadRows::Skip] {
        let cuts: Vec<usize> = (0..random.below(4)).map(|_| random.below(text.len() + 1)).collect();
        let pieces = in_pieces(text, &cuts, format, policy);
        match (told(whole(text, format, policy)), told(pieces)) {
            (Ok((json, skipped)), Ok((other, others))) => {
                assert_eq!((json, skipped.rows), (other, others.rows), "{cuts:?}");
            }
            (Err(_), Err(_)) => {}
            (whole, pieces) => panic!("{cuts:?}: {whole:?}, {pieces:?}"),
        }
    }
}

#[test]
fn csv_is_the_same_in_blocks_in_pieces_and_for_the_csv_crate() {
    fuzz("csv", 500, |text, random| {
        let result = told(read(text, BLOCK, BadRows::Fail));
        assert_eq!(told(read(text, 1 + random.below(40), BadRows::Fail)), result);
        cut_anywhere(text, Format::Csv, random);
        if let Ok(totals) = read(text, BLOCK, BadRows::Fail) {
            readers::same(&totals.summary, &readers::csv(text));
        }
    });
}

#[test]
fn json_lines_are_the_same_in_pieces_and_for_serde_json() {
    fuzz("jsonl", 500, |text, random| {
        cut_anywhere(text, Format::Jsonl, random);
        if let Ok(totals) = whole(text, Format::Jsonl, BadRows::Fail) {
            readers::same(&totals.summary, &readers::json(text));
        }
    });
}

#[test]
fn parquet_is_read_or_refused_in_bounded_memory_and_the_same_twice() {
    fuzz("parquet", 150, |content, _| {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        let place = Place::Local("p.parquet".into());
        let entry = Entry { place, size: content.len() as u64, version: String::new() };
        let ranges = Ranges::local(entry, file);
        let run = |policy| {
            let mut totals = Totals::default();
            // A damaged file may claim any number of rows.
            let mut blocks = 0;
            let mut on_block = |_| {
                blocks += 1;
                blocks < 50
            };
            told(parquet(ranges.clone(), "x", policy, &mut totals, &mut on_block).map(|()| totals))
        };
        let (strict, lax) = (run(BadRows::Fail), run(BadRows::Skip));
        // Where no row is bad, it makes no difference what is done with bad ones.
        match (&strict, &lax) {
            (Ok(_), lax) => assert_eq!(&strict, lax),
            (Err(_), Ok((_, skipped))) => assert!(skipped.rows > 0),
            (Err(_), Err(_)) => {}
        }
    });
}
