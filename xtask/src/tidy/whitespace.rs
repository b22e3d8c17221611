//! Text files end their lines cleanly, so that a diff shows only what changed.

use super::{Complaint, Tree};

const KINDS: &[&str] = &[
    "Makefile", "css", "html", "md", "py", "rs", "run", "sh", "sql", "svelte", "toml", "ts", "txt",
];

pub(super) fn check(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in tree.with_extension(KINDS) {
        for (number, line) in file.lines() {
            if line.ends_with([' ', '\t', '\r']) {
                let text = "white space at the end of the line: delete it";
                complaints.push(Complaint::new(file, number, text));
            }
        }
        if !file.text.is_empty() && (!file.text.ends_with('\n') || file.text.ends_with("\n\n")) {
            let text = "end the file with exactly one line end";
            complaints.push(Complaint::new(file, file.text.lines().count(), text));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loose_ends_are_seen() {
        for (text, complaints) in [
            ("a\nb\n", 0),
            ("", 0),
            ("a \n", 1),
            ("a\t\nb\n", 1),
            ("a\r\n", 0),
            ("a", 1),
            ("a\n\n", 1),
        ] {
            assert_eq!(
                check(&Tree::of(&[("a.md", text)])).len(),
                complaints,
                "{text:?}"
            );
        }
    }
}
