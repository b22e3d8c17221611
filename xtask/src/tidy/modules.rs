//! Every Rust file belongs to a crate: a file that no `mod` names is never compiled, and rots.

use super::{Complaint, Tree};

pub(super) fn check(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in tree.with_extension(&["rs"]) {
        let Some((folder, module)) = module_of(tree, &file.path) else {
            continue;
        };
        let parents = parents(tree, &folder);
        let named = parents
            .iter()
            .filter_map(|path| tree.get(path))
            .any(|f| names(&f.text, &module));
        if !named {
            let existing: Vec<_> = parents
                .iter()
                .filter(|path| tree.get(path).is_some())
                .collect();
            let place = existing
                .first()
                .map_or_else(|| format!("{folder}.rs"), |path| path.to_string());
            let text =
                format!("no `mod {module};` names it: add that to {place}, or delete the file");
            complaints.push(Complaint::new(file, 0, text));
        }
    }
    complaints
}

/// The folder whose module must name this file, and the name; nothing for a crate's own root file.
fn module_of(tree: &Tree, path: &str) -> Option<(String, String)> {
    let (folder, name) = path.rsplit_once('/')?;
    let stem = name.strip_suffix(".rs")?;
    let package = |folder: &str| tree.get(&format!("{folder}/Cargo.toml")).is_some();
    let parent = folder.rsplit_once('/');
    let root_file = match parent {
        _ if package(folder) => stem == "build",
        Some((above, "src")) if package(above) => stem == "lib" || stem == "main",
        Some((above, "tests" | "benches" | "examples")) => package(above),
        Some((above, "bin")) => above.ends_with("/src"),
        Some((above, _)) => stem == "main" && above.ends_with("/tests"),
        None => false,
    };
    match (root_file, stem, parent) {
        (true, ..) => None,
        (false, "mod", Some((above, module))) => Some((above.into(), module.into())),
        _ => Some((folder.into(), stem.into())),
    }
}

/// The files that may hold the `mod` line for something in `folder`.
fn parents(tree: &Tree, folder: &str) -> Vec<String> {
    if folder.ends_with("/src") {
        return vec![format!("{folder}/lib.rs"), format!("{folder}/main.rs")];
    }
    if folder.ends_with("/tests") || folder.ends_with("/benches") {
        let inside = format!("{folder}/");
        let roots = tree.with_extension(&["rs"]).map(|file| &file.path);
        let roots = roots.filter(|p| p.strip_prefix(&inside).is_some_and(|p| !p.contains('/')));
        return roots.cloned().collect();
    }
    vec![
        format!("{folder}/mod.rs"),
        format!("{folder}/main.rs"),
        format!("{folder}.rs"),
    ]
}

fn names(text: &str, module: &str) -> bool {
    text.lines().any(|line| {
        let line = line.split("//").next().unwrap_or_default().trim();
        let Some(name) = line
            .strip_suffix(';')
            .and_then(|line| line.strip_suffix(module))
        else {
            return false;
        };
        let visibility = name.trim_end().strip_suffix("mod").map(str::trim);
        name.ends_with(' ') && visibility.is_some_and(|v| v.is_empty() || v.starts_with("pub"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &[(&str, &str)] = &[
        ("a/Cargo.toml", ""),
        ("a/build.rs", ""),
        ("a/src/lib.rs", "mod one;\npub(crate) mod two;\n"),
        ("a/src/bin/tool.rs", ""),
        ("a/src/one.rs", "pub mod deep;\n"),
        ("a/src/one/deep.rs", ""),
        ("a/src/two/mod.rs", "mod deep; // why\n"),
        ("a/src/two/deep.rs", ""),
        ("a/tests/walk.rs", "mod walk;\nmod common;\n"),
        ("a/tests/common/mod.rs", ""),
        ("a/tests/drill/main.rs", "mod rounds;\n"),
        ("a/tests/drill/rounds.rs", ""),
    ];

    fn with(path: &'static str, text: &'static str) -> Vec<String> {
        let files: Vec<_> = GOOD
            .iter()
            .copied()
            .filter(|(p, _)| *p != path)
            .chain([(path, text)])
            .collect();
        check(&Tree::of(&files))
            .into_iter()
            .map(|complaint| complaint.path)
            .collect()
    }

    #[test]
    fn a_file_that_no_module_names_is_seen() {
        let none: [&str; 0] = [];
        assert_eq!(with("a/src/lib.rs", "mod one;\nmod two;\n"), none);
        assert_eq!(with("a/src/three.rs", ""), ["a/src/three.rs"]);
        assert_eq!(with("a/src/one/three.rs", ""), ["a/src/one/three.rs"]);
        assert_eq!(
            with("a/tests/drill/kills.rs", ""),
            ["a/tests/drill/kills.rs"]
        );
        assert_eq!(
            with("a/src/one.rs", "// mod deep;\n"),
            ["a/src/one/deep.rs"]
        );
        assert_eq!(
            with("a/src/two/mod.rs", "mod deeper;\n"),
            ["a/src/two/deep.rs"]
        );
    }
}
