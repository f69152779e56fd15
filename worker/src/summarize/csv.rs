//! A CSV from its beginning to its end.

use super::{BLOCK, Error, OnBlock, Totals};
use crate::bad_rows::BadRows;
use crate::csv::{Blocks, Malformed, Row, Scanner, Sink};
use crate::payments::Columns;
use crate::place::Input;

/// Adds the rows of a table to `totals`.
pub(super) struct Rows<'a> {
    pub(super) object: &'a str,
    pub(super) columns: &'a Columns,
    pub(super) policy: BadRows,
    pub(super) totals: &'a mut Totals,
}

impl Sink for Rows<'_> {
    #[inline]
    fn row(&mut self, row: &Row<'_>) -> Result<(), Malformed> {
        self.totals.summary.add(row, self.columns)
    }

    fn bad(&mut self, malformed: Malformed) -> Result<(), Malformed> {
        self.totals.bad(self.object, malformed, self.policy)
    }
}

/// Sums up a whole CSV, called `object`, into `totals`.
pub fn table(
    input: &mut dyn Input,
    object: &str,
    policy: BadRows,
    totals: &mut Totals,
    on_block: OnBlock<'_>,
) -> Result<(), Error> {
    table_in_blocks(input, object, policy, BLOCK, totals, on_block)
}

pub(super) fn table_in_blocks(
    input: &mut dyn Input,
    object: &str,
    policy: BadRows,
    block: usize,
    totals: &mut Totals,
    on_block: OnBlock<'_>,
) -> Result<(), Error> {
    let mut blocks = Blocks::new(input, block);
    let mut scanner = Scanner::default();
    let (columns, mut used) = header(&mut blocks, &mut scanner)?;
    loop {
        let rest = blocks.block().get(used..).unwrap_or_default();
        let ended = blocks.ended();
        let mut rows = Rows { object, columns: &columns, policy, totals };
        used += scanner.rows(rest, ended, columns.count, &mut rows)?;
        totals.go_on(on_block)?;
        if ended {
            return Ok(());
        }
        if !blocks.advance(used)? {
            return Err(scanner.too_long(blocks.block()).into());
        }
        used = 0;
    }
}

/// Reads up to the header: the columns, and how many bytes of the present block the header took.
pub fn header(blocks: &mut Blocks<'_>, scanner: &mut Scanner) -> Result<(Columns, usize), Error> {
    let unusable = |what: &str| Err(Error::Unusable(what.to_owned()));
    loop {
        if !blocks.advance(0)? {
            return Err(scanner.too_long(blocks.block()).into());
        }
        match scanner.header(blocks.block(), blocks.ended())? {
            Some(header) => {
                let columns = Columns::find(&header.names).map_err(Error::Unusable)?;
                return Ok((columns, header.length));
            }
            None if blocks.ended() && blocks.bytes() == 0 => return unusable("the file is empty"),
            None if blocks.ended() => return unusable("there is no header, only blank lines"),
            None => {}
        }
    }
}
