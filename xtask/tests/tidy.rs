//! The repository keeps its own rules.

use xtask::{tidy, workspace};

#[test]
fn the_repository_is_tidy() {
    let complaints = tidy::check(&workspace::root()).unwrap();
    let list: Vec<String> = complaints.iter().map(ToString::to_string).collect();
    assert!(
        list.is_empty(),
        "STYLE.md is not kept:\n{}",
        list.join("\n")
    );
}
