//! Writes the made-up exports of `examples/data`: one company as Salesforce, HubSpot, Pipedrive and Dynamics 365 show it.
//!
//! ```text
//! cargo run --release --example exports -- examples/data
//! ```
#![allow(clippy::print_stderr, reason = "a program on the command line")]
#![allow(clippy::indexing_slicing, reason = "tables of a fixed size")]
#![allow(dead_code, reason = "the speed of reading is measured on larger exports of the same company")]

mod write;

use std::error::Error;
use std::fs;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: exports FOLDER")?;
    for (path, text) in write::files()? {
        let path = Path::new(&folder).join(path);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        eprintln!("{}: {} lines", path.display(), text.lines().count());
        fs::write(path, text)?;
    }
    Ok(())
}
