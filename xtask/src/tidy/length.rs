//! A file is short enough to be read in one go.

use super::{Complaint, Tree};

const CEILING: usize = 600;
const KINDS: &[&str] = &["css", "py", "rs", "svelte", "ts"];

pub(super) fn check(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in tree.with_extension(KINDS) {
        let lines = file.text.lines().count();
        if lines > CEILING {
            let text = format!("{lines} lines, at most {CEILING}: split it along its verbs");
            complaints.push(Complaint::new(file, 0, text));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_too_many_is_seen() {
        for (lines, complaints) in [(CEILING, 0), (CEILING + 1, 1)] {
            let text = "x\n".repeat(lines);
            let tree = Tree::of(&[("a.rs", &text), ("long.md", &"x\n".repeat(CEILING * 2))]);
            assert_eq!(check(&tree).len(), complaints, "{lines} lines");
        }
    }
}
