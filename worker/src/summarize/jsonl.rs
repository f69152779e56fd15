//! JSON lines.

use super::columns::{NAMES, bad, shown};
use super::{BLOCK, Error, OnBlock, Totals};
use crate::bad_rows::BadRows;
use crate::csv::Malformed;
use crate::json::{self, Object};
use crate::lines::{Block, LineBlocks, Stopped};
use crate::number::{Number, Refused};
use crate::payments::{Payment, Summary};
use crate::place::Input;

/// Sums up a whole file of JSON lines, called `object`, into `totals`.
pub fn lines(
    input: &mut dyn Input,
    object: &str,
    policy: BadRows,
    totals: &mut Totals,
    on_block: OnBlock<'_>,
) -> Result<(), Error> {
    let mut blocks = LineBlocks::new(input, BLOCK);
    let mut block = Block::default();
    let mut reader = Reader::default();
    loop {
        match blocks.next(&mut block) {
            Ok(true) => {}
            Ok(false) if reader.line == 0 => return Err(Error::Unusable("the file is empty".to_owned())),
            Ok(false) => return Ok(()),
            Err(Stopped::Place(error)) => return Err(error.into()),
            Err(error @ Stopped::TooLong) => {
                let (line, what) = (reader.line + 1, error.to_string());
                return Err(Malformed { line, column: 1, field: None, what }.into());
            }
        }
        reader.block(block.lines(), object, policy, totals)?;
        totals.go_on(on_block)?;
    }
}

/// Reads lines, and counts them.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) line: u64,
    object: Object,
}

impl Reader {
    /// Adds each line of `block`.
    pub(super) fn block(
        &mut self,
        block: &[u8],
        object: &str,
        policy: BadRows,
        totals: &mut Totals,
    ) -> Result<(), Malformed> {
        let mut at = 0;
        while let Some(rest) = block.get(at..).filter(|rest| !rest.is_empty()) {
            let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
            let line = rest.get(..end).unwrap_or_default();
            at += end;
            self.line += 1;
            if !line.trim_ascii().is_empty()
                && let Err(malformed) = self.add(line, &mut totals.summary)
            {
                totals.bad(object, malformed, policy)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, line: &[u8], summary: &mut Summary) -> Result<(), Malformed> {
        let number = self.line;
        let wrong = |at: usize, what: &str| Malformed {
            line: number,
            column: at as u64 + 1,
            field: None,
            what: what.to_owned(),
        };
        self.object.read(line, &NAMES).map_err(|error| match std::str::from_utf8(line) {
            Err(error) => wrong(error.valid_up_to(), "it is not UTF-8"),
            Ok(_) => wrong(error.at, error.what),
        })?;
        let present = |index: usize| {
            let name = NAMES.get(index).copied().unwrap_or_default();
            let range = self.object.values.get(index).cloned().flatten();
            let value = range.clone().and_then(|range| line.get(range)).filter(|value| *value != b"null");
            let column = range.map_or(1, |range| range.start as u64 + 1);
            value.ok_or_else(|| bad(number, column, name, "it is missing")).map(|value| (value, column, name))
        };
        let numeric = |index| {
            let (value, column, name) = present(index)?;
            read_number(value)
                .map_err(|refused| bad(number, column, name, format!("{} {refused}", shown(value))))
        };
        let (value, instalments) = (numeric(0)?, numeric(1)?);
        let (kind, column, name) = present(2)?;
        let Some(payment_type) = json::text(kind) else {
            return Err(bad(number, column, name, format!("{} is not a string", shown(kind))));
        };
        let has_order = present(3).is_ok_and(|(id, _, _)| id != b"\"\"");
        let payment = Payment { value, instalments, payment_type: &payment_type, has_order };
        summary.add_payment(&payment).map_err(|what| bad(number, column, name, what))
    }
}

/// A number, or a string that holds one.
fn read_number(value: &[u8]) -> Result<Number, Refused> {
    match value.first() {
        Some(b'"') => Number::read(&json::text(value).ok_or(Refused::NotANumber)?),
        Some(b'-' | b'0'..=b'9') => Number::read(value),
        _ => Err(Refused::NotANumber),
    }
}
