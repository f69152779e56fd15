//! What a table is written in.

use serde::{Deserialize, Serialize};

/// A format of tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Comma-separated values with a header.
    Csv,
    /// One JSON object a line.
    Jsonl,
    /// Apache Parquet.
    Parquet,
}

impl Format {
    /// What the end of a name says, without that of a compression; CSV if it says nothing.
    pub fn of_name(name: &str) -> Format {
        let name = name.to_ascii_lowercase();
        let packed = [".gz", ".gzip", ".zst", ".zstd"];
        let name = packed.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
        if [".jsonl", ".ndjson", ".json"].iter().any(|end| name.ends_with(end)) {
            Format::Jsonl
        } else if [".parquet", ".pq"].iter().any(|end| name.ends_with(end)) {
            Format::Parquet
        } else {
            Format::Csv
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_the_format_also_under_a_compression() {
        let names = ["a.csv", "a.JSONL.gz", "b/c.ndjson.zst", "a.parquet", "a.txt", "jsonl", ""];
        use Format::{Csv, Jsonl, Parquet};
        assert_eq!(names.map(Format::of_name), [Csv, Jsonl, Jsonl, Parquet, Csv, Csv, Csv]);
    }
}
