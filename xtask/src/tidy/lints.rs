//! Every crate takes the workspace's lints, which forbid `unsafe`; one crate speaks to C.

use super::{Complaint, Tree};

/// The one crate with lints of its own.
const SPEAKS_TO_C: &str = "crates/preupdate/Cargo.toml";

pub(super) fn check(tree: &Tree) -> Vec<Complaint> {
    tree.files()
        .filter(|file| file.path.ends_with("/Cargo.toml") && file.path != SPEAKS_TO_C)
        .filter(|file| !file.text.contains("[lints]\nworkspace = true\n"))
        .map(|file| Complaint::new(file, 0, "write `[lints]` with `workspace = true` into it"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_with_lints_of_its_own_is_seen() {
        let taken = "[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n";
        for (path, text, wanted) in [
            ("crates/a/Cargo.toml", taken, 0),
            ("crates/a/Cargo.toml", "[package]\nname = \"a\"\n", 1),
            (
                "crates/a/Cargo.toml",
                "[lints.rust]\nunsafe_code = \"allow\"\n",
                1,
            ),
            (SPEAKS_TO_C, "[lints.rust]\nunsafe_code = \"deny\"\n", 0),
        ] {
            let complaints = check(&Tree::of(&[(path, text)]));
            assert_eq!(complaints.len(), wanted, "{path}: {text}");
        }
    }
}
