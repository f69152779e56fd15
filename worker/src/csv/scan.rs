//! Finds rows and fields in a block of bytes.

use super::row::Row;
use super::{MAX_ROW, Malformed, line_breaks, position};

/// How many columns a table can have: as many as a spreadsheet.
pub const MAX_COLUMNS: usize = 16_384;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Cuts blocks into rows, and knows the line it has come to.
#[derive(Debug)]
pub struct Scanner {
    /// The line on which the next row begins.
    line: u64,
    /// The fields of the row at hand; see [`Row`].
    marks: Vec<usize>,
}

/// The first row of a text.
#[derive(Debug)]
pub struct Header {
    /// The columns' names.
    pub names: Vec<Vec<u8>>,
    /// How many bytes it took, with the byte order mark and blank lines before it.
    pub length: usize,
}

/// Takes the rows of a text, one after the other.
pub trait Sink {
    /// A row with as many fields as the header; the error says what is wrong with one of them.
    fn row(&mut self, row: &Row<'_>) -> Result<(), Malformed>;

    /// A row that is wrong, by its length or by what [`Sink::row`] said of it. An error ends the reading.
    fn bad(&mut self, malformed: Malformed) -> Result<(), Malformed> {
        Err(malformed)
    }
}

impl<F: FnMut(&Row<'_>) -> Result<(), Malformed>> Sink for F {
    fn row(&mut self, row: &Row<'_>) -> Result<(), Malformed> {
        self(row)
    }
}

/// What was found at the beginning of a block.
enum Found {
    /// A row; the next one begins at `next`.
    Row { next: usize, quoted: bool },
    /// The row does not end in this block.
    Incomplete,
    /// A quote at `opened` that never closes.
    Unclosed { opened: usize },
}

impl Default for Scanner {
    fn default() -> Self {
        Scanner { line: 1, marks: Vec::new() }
    }
}

impl Scanner {
    /// Reads the header from the first block.
    ///
    /// `None` if the block has no whole row; with `last` set that means that there is no text but blank lines.
    pub fn header(&mut self, block: &[u8], last: bool) -> Result<Option<Header>, Malformed> {
        if !last && block.len() < BYTE_ORDER_MARK.len() {
            return Ok(None);
        }
        let mut at = if block.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        let mut line = 1;
        while at < block.len() {
            let (next, quoted) = match split(block, at, last, &mut self.marks) {
                Found::Row { next, quoted } => (next, quoted),
                Found::Incomplete => return Ok(None),
                Found::Unclosed { opened } => return Err(unclosed(line, block, at, opened)),
            };
            let row = Row::new(block, &self.marks, quoted, line);
            line += line_breaks(block.get(at..next).unwrap_or_default());
            if row.len() > MAX_COLUMNS {
                return Err(row.too_many(MAX_COLUMNS));
            }
            if !is_blank(&self.marks) {
                self.line = line;
                let names = (0..row.len()).map(|index| row.field(index).into_owned()).collect();
                return Ok(Some(Header { names, length: next }));
            }
            at = next;
        }
        Ok(None)
    }

    /// Hands each whole row of `block` to `sink` and returns how many bytes these rows took.
    ///
    /// What is left is the beginning of a row: it must begin the next block. Each row has `columns` fields, or is bad.
    /// With `last` set the text ends with the block.
    pub fn rows(
        &mut self,
        block: &[u8],
        last: bool,
        columns: usize,
        sink: &mut impl Sink,
    ) -> Result<usize, Malformed> {
        let mut at = 0;
        // Once a row ended with a carriage return alone, the block's others may too: each is then cut for itself,
        // because a search for the next line feed could go through the whole block for every row.
        let mut row_by_row = false;
        while at < block.len() {
            // Up to the next quote, nothing but separators matters. One search serves all rows up to there.
            if !row_by_row {
                let rest = block.get(at..).unwrap_or_default();
                let plain = memchr::memchr(b'"', rest).and_then(|quote| rest.get(..quote)).unwrap_or(rest);
                let returns = memchr::memchr(b'\r', plain).is_some();
                at += self.plain_rows(block, at, at + plain.len(), returns, columns, sink)?;
            }
            match self.next_row(block, at, last, columns, sink)? {
                Some(next) => at = next,
                None => break,
            }
            row_by_row = block.get(at - 1) == Some(&b'\r') || row_by_row;
        }
        Ok(at)
    }

    /// Passes over the row that begins `block`, whatever its length; returns how many bytes it took, `None` if it does not
    /// end in this block.
    pub fn skip_row(&mut self, block: &[u8], last: bool) -> Result<Option<usize>, Malformed> {
        match split(block, 0, last, &mut self.marks) {
            Found::Row { next, .. } => {
                self.line += line_breaks(block.get(..next).unwrap_or_default());
                Ok(Some(next))
            }
            Found::Incomplete => Ok(None),
            Found::Unclosed { opened } => Err(unclosed(self.line, block, 0, opened)),
        }
    }

    /// The error of a row that begins `block` and is longer than [`MAX_ROW`].
    pub fn too_long(&mut self, block: &[u8]) -> Malformed {
        match split(block, 0, true, &mut self.marks) {
            Found::Unclosed { opened } => {
                let (line, column) = position(self.line, block.get(..opened).unwrap_or_default());
                let what = format!("the quote that opens here is not closed within {MAX_ROW} bytes");
                Malformed { line, column, field: None, what }
            }
            _ => {
                let what = format!("the row is longer than {MAX_ROW} bytes");
                Malformed { line: self.line, column: 1, field: None, what }
            }
        }
    }

    /// Takes the rows that end between `start` and `end`, where there is no quote; returns how many bytes they took.
    ///
    /// It stops before a row with a carriage return that does not stand before a line feed.
    #[inline]
    fn plain_rows(
        &mut self,
        block: &[u8],
        start: usize,
        end: usize,
        returns: bool,
        columns: usize,
        sink: &mut impl Sink,
    ) -> Result<usize, Malformed> {
        self.marks.clear();
        self.marks.resize(columns + 1, start);
        let mut row_start = start;
        let mut fields = 0;
        for offset in memchr::memchr2_iter(b',', b'\n', block.get(start..end).unwrap_or_default()) {
            let at = start + offset;
            fields += 1;
            if let Some(mark) = self.marks.get_mut(fields) {
                *mark = at + 1;
            }
            if block.get(at) == Some(&b',') {
                continue;
            }
            if returns {
                let text = block.get(row_start..at).unwrap_or_default();
                match memchr::memchr(b'\r', text) {
                    None => {}
                    Some(last) if last + 1 == text.len() => {
                        if let Some(mark) = self.marks.get_mut(fields) {
                            *mark = at;
                        }
                    }
                    Some(_) => return Ok(row_start - start),
                }
            }
            let blank = fields == 1 && matches!(block.get(row_start..at), Some(b"" | b"\r"));
            if fields == columns && !blank {
                if let Err(malformed) = sink.row(&Row::new(block, &self.marks, false, self.line)) {
                    sink.bad(malformed)?;
                }
            } else if !blank {
                split(block, row_start, true, &mut self.marks);
                sink.bad(Row::new(block, &self.marks, false, self.line).wrong_length(columns))?;
                self.marks.clear();
                self.marks.resize(columns + 1, at + 1);
            }
            self.line += 1;
            fields = 0;
            row_start = at + 1;
            if let Some(mark) = self.marks.first_mut() {
                *mark = row_start;
            }
        }
        Ok(row_start - start)
    }

    /// Takes the one row that begins at `start`, quoted or not, blank or not; returns where the next begins, `None` if the row does
    /// not end in this block.
    pub fn next_row(
        &mut self,
        block: &[u8],
        start: usize,
        last: bool,
        columns: usize,
        sink: &mut impl Sink,
    ) -> Result<Option<usize>, Malformed> {
        if start >= block.len() {
            return Ok(None);
        }
        let (next, quoted) = match split(block, start, last, &mut self.marks) {
            Found::Row { next, quoted } => (next, quoted),
            Found::Incomplete => return Ok(None),
            Found::Unclosed { opened } => return Err(unclosed(self.line, block, start, opened)),
        };
        if !is_blank(&self.marks) {
            let row = Row::new(block, &self.marks, quoted, self.line);
            let result = if row.len() == columns { sink.row(&row) } else { Err(row.wrong_length(columns)) };
            result.or_else(|malformed| sink.bad(malformed))?;
        }
        self.line += line_breaks(block.get(start..next).unwrap_or_default());
        Ok(Some(next))
    }
}

/// Finds the fields of the row that begins at `start`, by every rule of the dialect.
fn split(block: &[u8], start: usize, last: bool, marks: &mut Vec<usize>) -> Found {
    let rest = |at: usize| block.get(at..).unwrap_or_default();
    marks.clear();
    marks.push(start);
    let mut at = start;
    let mut quoted = false;
    loop {
        if block.get(at) == Some(&b'"') {
            let opened = at;
            quoted = true;
            at += 1;
            loop {
                let Some(quote) = memchr::memchr(b'"', rest(at)) else {
                    return if last { Found::Unclosed { opened } } else { Found::Incomplete };
                };
                at += quote + 1;
                match block.get(at) {
                    Some(b'"') => at += 1,
                    None if !last => return Found::Incomplete,
                    _ => break,
                }
            }
        }
        let Some(end) = memchr::memchr3(b',', b'\n', b'\r', rest(at)) else {
            marks.push(block.len() + 1);
            return if last { Found::Row { next: block.len(), quoted } } else { Found::Incomplete };
        };
        at += end;
        marks.push(at + 1);
        match (block.get(at), block.get(at + 1)) {
            (Some(b','), _) => at += 1,
            (Some(b'\r'), Some(b'\n')) => return Found::Row { next: at + 2, quoted },
            (Some(b'\r'), None) if !last => return Found::Incomplete,
            _ => return Found::Row { next: at + 1, quoted },
        }
    }
}

/// Whether the beginning of a row ends within a quoted field. It must not end with a quote, which can mean two things.
pub fn ends_in_quotes(row: &[u8]) -> bool {
    let rest = |at: usize| row.get(at..).unwrap_or_default();
    let mut at = 0;
    loop {
        if row.get(at) == Some(&b'"') {
            at += 1;
            loop {
                let Some(quote) = memchr::memchr(b'"', rest(at)) else { return true };
                at += quote + 1;
                if row.get(at) != Some(&b'"') {
                    break;
                }
                at += 1;
            }
        }
        match memchr::memchr(b',', rest(at)) {
            Some(comma) => at += comma + 1,
            None => return false,
        }
    }
}

/// Whether the row is a line with nothing on it.
fn is_blank(marks: &[usize]) -> bool {
    matches!(marks, &[start, next] if next == start + 1)
}

fn unclosed(line: u64, block: &[u8], start: usize, opened: usize) -> Malformed {
    let (line, column) = position(line, block.get(start..opened).unwrap_or_default());
    Malformed { line, column, field: None, what: "the quote that opens here is never closed".to_owned() }
}
