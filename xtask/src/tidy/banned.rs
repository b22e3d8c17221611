//! Code is finished when it is committed: nothing half done, nothing switched off.

use super::{Complaint, Tree};

/// What must not stand in Rust code, and what to do instead. Written in two parts, so that this list
/// does not find itself.
const BANNED: &[(&str, &str)] = &[
    (concat!("todo", "!"), "write it, or leave it out"),
    (concat!("unimplemented", "!"), "write it, or leave it out"),
    (concat!("dbg", "!"), "take it out, or use `tracing`"),
    (concat!("#[", "ignore"), "repair the test or delete it"),
    (concat!("FIX", "ME"), "repair it now"),
    (concat!("XX", "X"), "repair it, or say plainly why it is so"),
    (concat!("HA", "CK"), "say plainly why it is so"),
    (concat!("allow(", "dead_code"), "delete what nothing uses"),
    (concat!("allow(", "unused"), "delete what nothing uses"),
];

pub(super) fn check(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in tree.with_extension(&["rs"]) {
        for (number, line) in file.lines() {
            for (word, advice) in BANNED.iter().filter(|(word, _)| has_word(line, word)) {
                complaints.push(Complaint::new(file, number, format!("`{word}`: {advice}")));
            }
        }
    }
    complaints
}

/// Whether `word` stands in `line` on its own, and not inside a longer word such as a base64 text.
fn has_word(line: &str, word: &str) -> bool {
    let part_of_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    line.match_indices(word).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + word.len()..].chars().next();
        let joined_before = word.starts_with(part_of_word) && before.is_some_and(part_of_word);
        let plain = word.chars().all(part_of_word);
        let joined_after = plain && after.is_some_and(part_of_word);
        !joined_before && !joined_after
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_banned_word_is_seen() {
        for (word, advice) in BANNED {
            let text = format!("fn a() {{}}\n    {word}\n");
            let complaints = check(&Tree::of(&[("a.rs", &text)]));
            assert_eq!(complaints.len(), 1, "{word}");
            assert_eq!(complaints[0].line, 2);
            assert!(complaints[0].text.ends_with(advice));
        }
    }

    #[test]
    fn a_longer_word_is_not_mistaken() {
        let text = concat!("let AXX", "XB = my_", "todo", "!();\n");
        assert_eq!(check(&Tree::of(&[("a.rs", text)])), []);
    }
}
