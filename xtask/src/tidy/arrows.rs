//! Crates depend downwards only: base ← log ← lane ← domains ← flows ← bongsu.

use super::{Complaint, Tree};
use toml::{Table, Value};

const ADVICE: &str = "what crosses is a flow, or a trait in `crates/web-kit` that `bongsu` wires";

pub(super) fn check(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in tree
        .files()
        .filter(|file| file.path.ends_with("/Cargo.toml"))
    {
        let folder = file.path.trim_end_matches("/Cargo.toml");
        let manifest: Table = match file.text.parse() {
            Ok(manifest) => manifest,
            Err(error) => {
                complaints.push(Complaint::new(file, 0, format!("not a manifest: {error}")));
                continue;
            }
        };
        let Some(own) = layer(folder) else {
            let text = "this crate has no layer: give it one in `xtask/src/tidy/arrows.rs`";
            complaints.push(Complaint::new(file, 0, text));
            continue;
        };
        for name in dependencies(&manifest).filter(|name| above(tree, name, own)) {
            let text = format!("depends on `{name}`, which is not below it: {ADVICE}");
            complaints.push(Complaint::new(file, 0, text));
        }
    }
    complaints
}

/// Whether the house's crate `name` is not below `layer`; crates from elsewhere have no layer.
fn above(tree: &Tree, name: &str, own: u8) -> bool {
    let Some(short) = name
        .strip_prefix("bongsu-")
        .or((name == "bongsu").then_some(name))
    else {
        return false;
    };
    let folders = [
        format!("crates/{short}"),
        format!("domains/{short}"),
        format!("examples/{short}"),
        short.to_owned(),
    ];
    let folder = folders
        .iter()
        .find(|f| tree.get(&format!("{f}/Cargo.toml")).is_some());
    folder
        .and_then(|folder| layer(folder))
        .is_some_and(|layer| layer >= own)
}

fn layer(folder: &str) -> Option<u8> {
    Some(match folder {
        // These look at the house from outside: at its text, or at its running binary.
        "xtask" | "bench" | "clients" | "crates/test-nats" => 0,
        "crates/base" | "crates/bus" | "crates/preupdate" | "crates/store" | "crates/fetch"
        | "crates/jose" | "crates/emvco" | "crates/webhooks" => 1,
        "crates/log" | "crates/peer" | "crates/rp-kit" => 2,
        // What others build on top of the kit: of the house it knows nothing.
        "examples/partner" => 3,
        // It looks from outside, too, and runs such a service beside.
        "drill" => 4,
        "crates/lane" | "crates/media" | "crates/audit" | "crates/ledger" => 3,
        "crates/web-kit" | "crates/bank-rail" => 4,
        _ if folder.starts_with("domains/") => 5,
        "flows" => 6,
        "bongsu" | "sim" | "fuzz" => 7,
        _ => return None,
    })
}

fn dependencies(manifest: &Table) -> impl Iterator<Item = &String> {
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    kinds
        .into_iter()
        .filter_map(|kind| manifest.get(kind).and_then(Value::as_table))
        .flat_map(Table::keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(path: &str, manifest: &str) -> usize {
        let house = [
            "crates/base",
            "crates/lane",
            "domains/pay",
            "domains/talk",
            "flows",
        ];
        let house = house.map(|folder| format!("{folder}/Cargo.toml"));
        let others = house
            .iter()
            .filter(|p| *p != path)
            .map(|path| (path.as_str(), ""));
        check(&Tree::of(
            &others.chain([(path, manifest)]).collect::<Vec<_>>(),
        ))
        .len()
    }

    #[test]
    fn an_arrow_upwards_or_sideways_is_seen() {
        for (path, manifest, wanted) in [
            (
                "domains/pay/Cargo.toml",
                "[dependencies]\nbongsu-lane.workspace = true\nserde = \"1\"\n",
                0,
            ),
            (
                "domains/pay/Cargo.toml",
                "[dependencies]\nbongsu-talk.workspace = true\n",
                1,
            ),
            (
                "domains/pay/Cargo.toml",
                "[dev-dependencies]\nbongsu-flows.workspace = true\n",
                1,
            ),
            (
                "crates/lane/Cargo.toml",
                "[dependencies]\nbongsu-pay.workspace = true\n",
                1,
            ),
            (
                "clients/Cargo.toml",
                "[dependencies]\nbongsu-base.workspace = true\n",
                1,
            ),
            ("domains/pay/Cargo.toml", "[dependencies\n", 1),
            ("crates/new/Cargo.toml", "", 1),
        ] {
            assert_eq!(complaints(path, manifest), wanted, "{path}: {manifest}");
        }
    }
}
