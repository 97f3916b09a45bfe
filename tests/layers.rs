//! The order of the house: a room uses only rooms above it, and each door is the only one.
//!
//! The sources are read as text, without comments, string contents and `cfg(test)` items, so that a new import is
//! caught whichever way it is spelled.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// From the ground up: each room may use those before it.
const ROOMS: [&str; 17] = [
    "error",
    "num",
    "score",
    "time",
    "deals",
    "crm",
    "synthetic",
    "history",
    "estimate",
    "model",
    "forecast",
    "fit",
    "gap",
    "backtest",
    "report",
    "plot",
    "guide",
];
const LONGEST_FILE: usize = 600;
const LONGEST_TOUR: usize = 150;
const NOT_A_ROOM: [&str; 5] = ["utils", "util", "helpers", "common", "misc"];
/// Who may name which crates: special functions have one door, and so has the drawing of pictures.
const DOORS: [(&str, &[&str]); 2] = [("num/special", &["libm", "statrs"]), ("plot/sheet", &["plotters"])];

/// A source file: its path below `src`, with `/`, and its text.
struct Source {
    path: String,
    text: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    let read = |path: PathBuf| Source {
        path: path.strip_prefix(&root).expect("below src").to_string_lossy().replace('\\', "/"),
        text: fs::read_to_string(&path).expect("readable text"),
    };
    files.into_iter().map(read).collect()
}

fn room(path: &str) -> &str {
    path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

fn rank(room: &str) -> Option<usize> {
    ROOMS.iter().position(|known| *known == room)
}

/// The code as its words and punctuation, without comments, literals and `cfg(test)` items.
fn tokens(text: &str) -> Vec<String> {
    without_tests(&words(text))
}

fn words(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut i = 0;
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    while i < chars.len() {
        match (at(i), at(i + 1)) {
            ('/', '/') => i = (i..chars.len()).find(|&j| at(j) == '\n').unwrap_or(chars.len()),
            ('/', '*') => i = end_of_comment(&chars, i),
            ('r', '#' | '"') if raw_string(&chars, i).is_some() => i = raw_string(&chars, i).unwrap(),
            ('"', _) => i = end_of_string(&chars, i),
            // A character, as opposed to a lifetime.
            ('\'', '\\') => i = (i + 3..chars.len()).find(|&j| at(j) == '\'').map_or(chars.len(), |j| j + 1),
            ('\'', _) if at(i + 2) == '\'' => i += 3,
            (c, _) if c.is_alphanumeric() || c == '_' => {
                let end = (i..chars.len()).find(|&j| !(at(j).is_alphanumeric() || at(j) == '_'));
                let end = end.unwrap_or(chars.len());
                found.push(chars[i..end].iter().collect());
                i = end;
            }
            (':', ':') => {
                found.push("::".into());
                i += 2;
            }
            (c, _) => {
                if !c.is_whitespace() {
                    found.push(c.to_string());
                }
                i += 1;
            }
        }
    }
    found
}

fn end_of_comment(chars: &[char], start: usize) -> usize {
    let (mut depth, mut i) = (0, start);
    while i < chars.len() {
        match chars.get(i..i + 2) {
            Some(['/', '*']) => (depth, i) = (depth + 1, i + 2),
            Some(['*', '/']) => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            break;
        }
    }
    i
}

fn end_of_string(chars: &[char], start: usize) -> usize {
    let mut i = start + 1;
    while i < chars.len() && chars[i] != '"' {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}

fn raw_string(chars: &[char], start: usize) -> Option<usize> {
    let hashes = chars[start + 1..].iter().take_while(|c| **c == '#').count();
    let open = start + 1 + hashes;
    if chars.get(open) != Some(&'"') {
        return None;
    }
    let closes = |i: usize| {
        chars[i] == '"' && chars[i + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes
    };
    (open + 1..chars.len()).find(|&i| closes(i)).map(|i| i + 1 + hashes)
}

/// Leaves out each item behind `#[cfg(test)]`: up to its closing brace, or its semicolon where it has none.
fn without_tests(words: &[String]) -> Vec<String> {
    let marker = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut i = 0;
    while i < words.len() {
        if words[i..].iter().take(marker.len()).eq(marker.iter()) {
            i = end_of_item(words, i + marker.len());
        } else {
            kept.push(words[i].clone());
            i += 1;
        }
    }
    kept
}

fn end_of_item(words: &[String], start: usize) -> usize {
    let mut depth = 0;
    for (i, word) in words.iter().enumerate().skip(start) {
        match word.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => {
                depth -= 1;
                if depth == 0 && word == "}" {
                    return i + 1;
                }
            }
            ";" if depth == 0 => return i + 1,
            _ => {}
        }
    }
    words.len()
}

/// The rooms a file names: what follows `crate::`, or as many `super::` as lead out of its room, also inside a brace
/// list. `homes` says which room a name at the root of the crate comes from.
fn rooms_named(source: &Source, homes: &[(String, String)]) -> Vec<String> {
    let words = tokens(&source.text);
    let inside = source.path.trim_end_matches(".rs").trim_end_matches("/mod");
    let ups_to_root = inside.split('/').count();
    let mut named = Vec::new();
    let mut i = 0;
    while i < words.len() {
        let next = if words[i] == "crate" {
            i + 1
        } else if words[i] == "super" && (i == 0 || words[i - 1] != "::") {
            let mut ups = 1;
            let mut j = i + 1;
            while words.get(j).is_some_and(|w| w == "::") && words.get(j + 1).is_some_and(|w| w == "super") {
                (ups, j) = (ups + 1, j + 2);
            }
            // An inline module stands one deeper; as many as lead to the root, or more, count as leading there.
            if ups < ups_to_root {
                i = j;
                continue;
            }
            j
        } else {
            i += 1;
            continue;
        };
        i = next;
        if words.get(next).is_some_and(|w| w == "::") {
            heads(&words, next + 1, &mut named);
        }
    }
    let home = |name: &String| {
        homes.iter().find(|(item, _)| item == name).map_or(name.clone(), |(_, room)| room.clone())
    };
    named.iter().map(home).collect()
}

/// The first name of a path, or of each path of a brace list.
fn heads(words: &[String], start: usize, named: &mut Vec<String>) {
    if words.get(start).is_none_or(|w| w != "{") {
        named.extend(words.get(start).cloned());
        return;
    }
    let (mut depth, mut first) = (0, true);
    for word in &words[start..] {
        match word.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            "," if depth == 1 => first = true,
            name if depth == 1 && first => {
                named.push(name.to_owned());
                first = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
}

/// The items that the tour re-exports, with the rooms they come from.
fn homes(tour: &str) -> Vec<(String, String)> {
    let words = tokens(tour);
    let mut found = Vec::new();
    for i in 0..words.len() {
        if words[i] != "use" || words.get(i + 2).is_none_or(|w| w != "::") || rank(&words[i + 1]).is_none() {
            continue;
        }
        let until = words[i..].iter().position(|w| w == ";").map_or(words.len(), |end| i + end);
        let names = words[i + 3..until].iter().filter(|w| w.chars().all(|c| c.is_alphanumeric() || c == '_'));
        found.extend(names.map(|name| (name.clone(), words[i + 1].clone())));
    }
    found
}

/// Every import against the order, and every room without a place in it.
fn breaches(sources: &[Source]) -> Vec<String> {
    let homes = sources.iter().find(|s| s.path == "lib.rs").map_or(Vec::new(), |tour| homes(&tour.text));
    let mut found = Vec::new();
    for source in sources.iter().filter(|s| s.path != "lib.rs") {
        let here = room(&source.path);
        let Some(floor) = rank(here) else {
            found.push(format!("{}: {here} has no place in the house", source.path));
            continue;
        };
        for named in rooms_named(source, &homes) {
            if rank(&named).is_some_and(|other| other > floor) {
                found.push(format!("{}: {here} uses {named}, which is built on it", source.path));
            }
        }
    }
    found
}

#[test]
fn imports_point_up_the_list() {
    let sources = sources();
    assert!(sources.len() > 10, "the sources were found");
    assert_eq!(breaches(&sources), Vec::<String>::new());
}

#[test]
fn the_checker_sees_every_spelling() {
    let planted = |path: &str, text: &str| {
        let tour = Source {
            path: "lib.rs".into(),
            text: "pub mod num;\npub use forecast::{Forecast, Engine};".into(),
        };
        breaches(&[tour, Source { path: path.into(), text: text.into() }]).len()
    };
    for caught in [
        "use crate::forecast::Forecast;",
        "use crate::{Error, num::{sum, Seed}, forecast};",
        "use crate::{\n    Error,\n    forecast::{Forecast, Engine},\n};",
        "fn f() -> f64 { crate::forecast::mean() }",
        "use super::super::forecast::mean;",
        "use super::{super::backtest, sum};\nuse super :: super :: plot;",
        "use crate::Forecast;",
        "pub(crate) use crate::{Error, Engine};",
        "const A: char = '\"'; use crate::gap::Gap; const B: char = '\"';",
        "fn f<'a>(x: &'a str) { crate::fit::g(x) }",
        "#[cfg(test)]\nmod tests { use crate::gap::x; }\nuse crate::fit::y;",
    ] {
        assert_eq!(planted("estimate/win_rate.rs", caught), 1, "{caught}");
    }
    for allowed in [
        "use crate::{Error, num::Seed, history::Visit};",
        "/// [`Forecast`](crate::forecast::Forecast)\nuse crate::deals::Deal;",
        "//! crate::forecast\n/* crate::forecast /* nested */ crate::fit */",
        "const TEXT: &str = \"use crate::forecast::x;\";\nconst RAW: &str = r#\"crate::gap \"quoted\"\"#;",
        "#[cfg(test)]\nmod tests { use crate::forecast::x; fn f() { { } } }",
        "#[cfg(test)]\nuse crate::forecast::x;",
        "use super::kaplan_meier;\nuse super::super::num;",
        "pub(crate) fn forecast() {}",
    ] {
        assert_eq!(planted("estimate/win_rate.rs", allowed), 0, "{allowed}");
    }
    assert_eq!(planted("utils.rs", ""), 1);
    assert_eq!(planted("score.rs", "use super::forecast;"), 1);
    assert_eq!(planted("score/mod.rs", "use super::forecast;"), 1);
    assert_eq!(planted("score/deep/er.rs", "use super::forecast; use super::super::forecast;"), 0);
    assert_eq!(planted("score/deep/er.rs", "use super::super::super::forecast;"), 1);
}

#[test]
fn files_are_short_and_rooms_have_names() {
    for Source { path, text } in sources() {
        let n_lines = text.lines().count();
        let limit = if path == "lib.rs" { LONGEST_TOUR } else { LONGEST_FILE };
        assert!(n_lines <= limit, "{path} has {n_lines} lines");
        let empty =
            path.split('/').map(|part| part.trim_end_matches(".rs")).find(|part| NOT_A_ROOM.contains(part));
        assert_eq!(empty, None, "{path} says nothing of what it holds");
    }
}

/// Whether a file outside a door names what lies behind it.
fn goes_round_the_door(source: &Source) -> bool {
    let named = words(&source.text);
    DOORS.iter().any(|(door, behind)| {
        let is_door = source.path == format!("{door}.rs") || source.path.starts_with(&format!("{door}/"));
        !is_door && named.iter().any(|word| behind.contains(&word.as_str()))
    })
}

#[test]
fn crates_of_special_functions_and_pictures_have_one_door() {
    for source in sources() {
        assert!(!goes_round_the_door(&source), "{} goes round a door", source.path);
    }
    let planted =
        |path: &str, text: &str| goes_round_the_door(&Source { path: path.into(), text: text.into() });
    assert!(planted("score/family.rs", "fn f(x: f64) -> f64 { libm::exp(x) }"));
    assert!(planted("num/rng.rs", "use statrs::function::gamma;"));
    assert!(planted("plot/axis.rs", "use plotters::prelude::*;"));
    assert!(!planted("plot/sheet.rs", "use plotters::prelude::*;"));
    assert!(!planted("num/rng.rs", "// statrs does not"));
    assert!(!planted("num/special/gamma.rs", "use statrs::function::gamma;"));
}
