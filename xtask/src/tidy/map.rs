//! ARCHITECTURE.md lists the crates that exist, and no others.

use super::{Complaint, File, Tree};

const MAP: &str = "ARCHITECTURE.md";

/// Compares the table whose first column is headed `crate` with the workspace's members.
pub(super) fn check(tree: &Tree, members: &[String]) -> Vec<Complaint> {
    let Some(map) = tree.get(MAP) else {
        let missing = File {
            path: MAP.into(),
            text: String::new(),
        };
        return vec![Complaint::new(&missing, 0, "write the map of the crates")];
    };
    let listed = table(map);
    if listed.is_empty() {
        let text = "no table of crates: its first column is headed `crate` and holds each crate's folder in backticks";
        return vec![Complaint::new(map, 0, text)];
    }
    let mut complaints = Vec::new();
    for member in members
        .iter()
        .filter(|member| !listed.iter().any(|(_, name)| name == *member))
    {
        let text = format!("the table of crates lacks `{member}`: say there what it is for");
        complaints.push(Complaint::new(map, listed[0].0, text));
    }
    for (line, name) in listed.iter().filter(|(_, name)| !members.contains(name)) {
        let text = format!("`{name}` is no crate of the workspace: delete its row");
        complaints.push(Complaint::new(map, *line, text));
    }
    complaints
}

/// The first cells of the table, with their lines.
fn table(map: &File) -> Vec<(usize, String)> {
    let rows = map.lines().skip_while(|(_, line)| {
        first_cell(line).is_none_or(|cell| !cell.eq_ignore_ascii_case("crate"))
    });
    let body = rows
        .skip(2)
        .map_while(|(number, line)| Some((number, first_cell(line)?)));
    body.map(|(number, cell)| {
        (
            number,
            cell.trim_matches('`').trim_end_matches('/').to_owned(),
        )
    })
    .collect()
}

fn first_cell(line: &str) -> Option<&str> {
    line.trim()
        .strip_prefix('|')?
        .split('|')
        .next()
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(map: &str) -> Vec<String> {
        let members = ["crates/base".to_owned(), "sim".to_owned()];
        check(&Tree::of(&[(MAP, map)]), &members)
            .into_iter()
            .map(|complaint| complaint.text)
            .collect()
    }

    #[test]
    fn a_map_that_differs_is_seen() {
        let head = "# Map\n\n| word | use |\n| --- | --- |\n| x | y |\n\n| crate | what |\n| --- | --- |\n";
        let full = format!("{head}| `crates/base/` | ids |\n| `sim` | seeds |\n");
        assert!(complaints(&full).is_empty());
        let missing = complaints(&format!("{head}| `sim` | seeds |\n"));
        assert!(
            missing.len() == 1 && missing[0].contains("`crates/base`"),
            "{missing:?}"
        );
        let extra = complaints(&format!("{full}| `crates/gone` | - |\n"));
        assert!(
            extra.len() == 1 && extra[0].contains("`crates/gone`"),
            "{extra:?}"
        );
        assert_eq!(complaints("# Map\n").len(), 1);
        assert_eq!(check(&Tree::default(), &[]).len(), 1);
    }
}
