//! Numbers that other tools computed, where their folder is at hand.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/oracles");
    std::env::var_os("DEALCAST_ORACLES").map_or_else(beside, PathBuf::from)
}

/// The case whose file name starts with `id`, from `DEALCAST_ORACLES` or `../shared/oracles`; `None` where absent.
pub(crate) fn read(id: &str) -> Option<Value> {
    let files = folder().read_dir().ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let named = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(id));
    let text = std::fs::read_to_string(files.into_iter().find(named)?).ok()?;
    Some(serde_json::from_str(&text).expect("an oracle is JSON"))
}

/// The columns of a table of numbers beside the oracles.
pub(crate) fn table(path: &str) -> BTreeMap<String, Vec<f64>> {
    let mut reader = csv::Reader::from_path(folder().join(path)).expect("a table");
    let names: Vec<String> = reader.headers().expect("a header").iter().map(str::to_owned).collect();
    let mut columns: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for row in reader.deserialize::<Vec<f64>>() {
        for (name, x) in names.iter().zip(row.expect("numbers")) {
            columns.entry(name.clone()).or_default().push(x);
        }
    }
    columns
}
