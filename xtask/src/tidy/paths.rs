//! A path that a document names exists.

use super::{Complaint, File, Tree};

pub(super) fn check(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in tree.with_extension(&["md"]) {
        for (number, line) in prose(file) {
            let quoted = quoted(line).filter(|path| looks_like_a_path(tree, path));
            for path in quoted
                .chain(links(line))
                .filter(|path| !exists(tree, file, path))
            {
                let text = format!("`{path}` does not exist: name the file that took its place");
                complaints.push(Complaint::new(file, number, text));
            }
        }
    }
    complaints
}

/// The lines outside fenced blocks, whose drawings and commands are not checked.
fn prose(file: &File) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    file.lines().filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// What stands between backticks, without a line number behind it.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    let inside = line
        .split('`')
        .enumerate()
        .filter(|(index, _)| index % 2 == 1);
    inside.map(|(_, text)| text.split(':').next().unwrap_or_default())
}

/// The targets of links to other files.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let files = targets.filter(|target| !target.contains(':') && !target.starts_with('#'));
    files.map(|target| target.split('#').next().unwrap_or_default())
}

/// Something like `domains/talk/src/lib.rs` or `crates/`: it begins with a folder of the root, and
/// has no place holder in it.
fn looks_like_a_path(tree: &Tree, text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let first = text.split('/').next().unwrap_or_default();
    text.contains('/')
        && text.chars().all(plain)
        && tree.files().any(|f| {
            f.path
                .strip_prefix(first)
                .is_some_and(|rest| rest.starts_with('/'))
        })
}

/// Whether `path` exists from the root or from the document's own folder.
fn exists(tree: &Tree, document: &File, path: &str) -> bool {
    let mut folder: Vec<&str> = document.path.split('/').collect();
    folder.pop();
    for part in path.split('/').filter(|part| *part != ".") {
        if part == ".." {
            folder.pop();
        } else {
            folder.push(part);
        }
    }
    tree.exists(path) || tree.exists(&folder.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(text: &str) -> usize {
        let tree = Tree::of(&[("docs/a.md", text), ("docs/b.md", ""), ("src/x/y.rs", "")]);
        check(&tree).len()
    }

    #[test]
    fn a_path_that_leads_nowhere_is_seen() {
        for text in [
            "`src/z.rs`",
            "see `src/x/y.rs` and `docs/c.md`:",
            "[c](c.md)",
            "[z](../src/z.rs)",
        ] {
            assert_eq!(complaints(text), 1, "{text}");
        }
    }

    #[test]
    fn what_is_no_path_or_exists_is_left_alone() {
        for text in [
            "`src/x/y.rs:12` and `src/x/`",
            "[b](b.md#part), [y](../src/x/y.rs), [web](https://example.org/x), [here](#part)",
            "`src/<verb>.rs`, `src/*.rs`, `GET /x/y`, `a/b`",
            "```text\n`src/z.rs`\n```",
        ] {
            assert_eq!(complaints(text), 0, "{text}");
        }
    }
}
