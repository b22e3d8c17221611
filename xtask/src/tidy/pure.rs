//! A domain's `apply` and `state` know neither the wire, nor the log, nor a runtime.

use super::{Complaint, Tree};

const OUTSIDE: &[(&str, &str)] = &[
    ("axum", "HTTP belongs to the domain's `http` folder"),
    (
        "bongsu_log",
        "`apply` sees a record, not the log it came from",
    ),
    ("http", "HTTP belongs to the domain's `http` folder"),
    ("reqwest", "what must happen outside is an effect"),
    (
        "ruma",
        "a protocol's types stop in the domain's `http` folder",
    ),
    ("tokio", "`apply` waits for nothing"),
];

pub(super) fn check(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in tree
        .with_extension(&["rs"])
        .filter(|file| is_pure(&file.path))
    {
        for (number, line) in file.lines() {
            let code = line.split("//").next().unwrap_or_default();
            for (name, advice) in OUTSIDE.iter().filter(|(name, _)| uses(code, name)) {
                complaints.push(Complaint::new(
                    file,
                    number,
                    format!("uses `{name}`: {advice}"),
                ));
            }
        }
    }
    complaints
}

/// `domains/NAME/src/` followed by `apply…`, `state…` or `command…`.
fn is_pure(path: &str) -> bool {
    let inside = path
        .strip_prefix("domains/")
        .and_then(|path| path.split_once("/src/"));
    inside.is_some_and(|(_, path)| {
        ["apply", "command", "state"]
            .iter()
            .any(|part| path.starts_with(part))
    })
}

/// Whether the code names the crate: `name::…` or `use name`, and not a module of that name.
fn uses(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(start, _)| {
        let (before, after) = (&code[..start], &code[start + name.len()..]);
        let whole = !before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        let local = before.ends_with("::")
            && before
                .trim_end_matches("::")
                .ends_with(char::is_alphanumeric);
        let imported = before.trim_end().ends_with("use") && after.starts_with([';', ' ']);
        whole && !local && (after.starts_with("::") || imported)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_outside_is_seen() {
        for (path, text, wanted) in [
            (
                "domains/pay/src/apply/transfer.rs",
                "use tokio::sync::mpsc;\n",
                1,
            ),
            (
                "domains/pay/src/apply/transfer.rs",
                "let a: Vec<ruma::UserId> = b;\n",
                1,
            ),
            ("domains/pay/src/state.rs", "use axum;\n", 1),
            (
                "domains/pay/src/state/room.rs",
                "fn a(log: &dyn bongsu_log::Log) {}\n",
                1,
            ),
            ("domains/pay/src/http/transfer.rs", "use axum::Json;\n", 0),
            (
                "domains/pay/src/apply/transfer.rs",
                "// as tokio::spawn would\n",
                0,
            ),
            (
                "domains/pay/src/apply/transfer.rs",
                "use crate::http::x; let my_http = 1;\n",
                0,
            ),
            ("crates/lane/src/apply.rs", "use tokio::sync::mpsc;\n", 0),
        ] {
            assert_eq!(
                check(&Tree::of(&[(path, text)])).len(),
                wanted,
                "{path}: {text}"
            );
        }
    }
}
