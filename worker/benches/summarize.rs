//! CPU time, throughput and peak memory of `summarize` on generated payments: `cargo bench -p batchwright-worker`.
//!
//! The number of rows is the first number among the arguments (`-- 10000000`), else 1,000,000; as a mere test of itself,
//! without `--bench`, it takes 10,000. The rows have the shape of the seed's data set. They are written to a file first, which
//! is in the page cache when it is read.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use batchwright_worker::bad_rows::BadRows;
use batchwright_worker::commands::summarize::to_json;
use batchwright_worker::memory;
use batchwright_worker::place::LocalFile;
use batchwright_worker::summarize::{Totals, table};

const TYPES: [(&str, u64); 5] =
    [("credit_card", 756), ("boleto", 195), ("voucher", 56), ("debit_card", 15), ("not_defined", 2)];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let usual = if std::env::args().any(|argument| argument == "--bench") { 1_000_000 } else { 10_000 };
    let rows = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(usual);
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("payments.csv");
    generate(&path, rows)?;

    let before = cpu_seconds()?;
    let mut file = LocalFile::open(&path)?;
    let mut totals = Totals::default();
    table(&mut file, "payments.csv", BadRows::Fail, &mut totals, &mut |_| true)?;
    to_json(&totals.summary)?;
    let cpu = cpu_seconds()? - before;

    let bytes = std::fs::metadata(&path)?.len();
    let megabytes = bytes as f64 / 1e6;
    let peak = memory::peak().unwrap_or(0) as f64 / 1e6;
    let mut out = std::io::stdout();
    writeln!(
        out,
        "rows {}  MB {megabytes:.0}  CPU s {cpu:.2}  MB/CPU s {:.0}  peak MB {peak:.1}",
        totals.summary.rows(),
        megabytes / cpu
    )?;
    Ok(())
}

fn generate(path: &Path, rows: u64) -> std::io::Result<()> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    writeln!(
        file,
        "order_id,customer_id,payment_sequential,payment_type,payment_installments,payment_value"
    )?;
    for row in 0..rows {
        let (one, two) = (mixed(row), mixed(!row));
        let (kind, instalments) = match kind(one >> 8 & 1023) {
            "credit_card" => ("credit_card", two >> 40 & 7 | 1),
            other => (other, 1),
        };
        // Three of four amounts are below 200, the rest below 3,000.
        let cents = if one >> 30 & 3 == 0 { two % 300_000 } else { two % 20_000 };
        writeln!(
            file,
            "{one:016x}{two:016x},{two:016x}{one:016x},1,{kind},{instalments},{}.{:02}",
            cents / 100,
            cents % 100
        )?;
    }
    file.flush()
}

fn kind(mut share: u64) -> &'static str {
    for (name, of_1024) in TYPES {
        if share < of_1024 {
            return name;
        }
        share -= of_1024;
    }
    "not_defined"
}

/// The splitmix64 generator's output for `state`.
fn mixed(state: u64) -> u64 {
    let x = state.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// User and system time of this process so far: fields 14 and 15 of `/proc/self/stat`, in hundredths of a second.
fn cpu_seconds() -> Result<f64, Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The name in field 2 may hold spaces, but no field after its closing parenthesis does.
    let fields = stat.rsplit_once(')').map(|(_, fields)| fields).unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(ticks as f64 / 100.0)
}
