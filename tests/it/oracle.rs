//! Where the shared oracle cases are, if they are.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

fn folder() -> PathBuf {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/oracles");
    std::env::var_os("DEALCAST_ORACLES").map_or_else(beside, PathBuf::from)
}

/// The case whose file name starts with this id: the copy in `tests/golden` where there is one, else the shared folder;
/// `None`, saying so, where both are without it.
pub(crate) fn read(id: &str) -> Option<Value> {
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let paths =
        [golden, folder()].into_iter().flat_map(|f| std::fs::read_dir(f).into_iter().flatten().flatten());
    let mut paths = paths.map(|entry| entry.path());
    let found = paths.find(|path| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with(id)));
    let text = found.and_then(|path| std::fs::read_to_string(path).ok());
    if text.is_none() {
        println!("skipped {id}: no oracle folder");
    }
    Some(serde_json::from_str(&text?).unwrap())
}

/// The columns of a CSV file beside the cases.
pub(crate) fn columns(name: &str) -> Vec<Vec<f64>> {
    let mut reader = csv::Reader::from_path(folder().join(name)).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let width = rows[0].len();
    (0..width).map(|i| rows.iter().map(|row| row[i].parse().unwrap()).collect()).collect()
}

/// The numbers of a JSON array.
pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// The columns of a CSV file beside the cases, by name.
pub(crate) fn table(path: &str) -> BTreeMap<String, Vec<f64>> {
    let mut reader = csv::Reader::from_path(folder().join(path)).unwrap();
    let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    names.into_iter().zip(columns(path)).collect()
}
