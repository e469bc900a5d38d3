//! What goes to standard output: tables for people, JSON for machines.

use std::io::Write;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{ContentArrangement, Table};
use serde::Serialize;

/// Prints a line. A reader that has gone away is not an error of ours.
pub(super) fn line(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Says something on the side, to standard error.
pub(super) fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Prints a value as JSON.
///
/// # Errors
/// Where the value has no JSON form.
pub(super) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(&serde_json::to_string_pretty(value)?);
    Ok(())
}

/// How wide a table is where there is no terminal to ask, in columns.
const WIDTH: u16 = 140;

/// Prints a table as wide as the terminal; without rows there is nothing to print.
pub(super) fn table(header: &[&str], rows: Vec<Vec<String>>) {
    if rows.is_empty() {
        return;
    }
    let mut table = Table::new();
    if !table.is_tty() {
        table.set_width(WIDTH);
    }
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.to_vec());
    for row in rows {
        table.add_row(row);
    }
    line(&table.to_string());
}
