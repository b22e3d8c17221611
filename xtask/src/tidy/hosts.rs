//! The texts name packages, never the machines that they are fetched from.

use super::{Complaint, Tree};

const KINDS: &[&str] = &[
    "Makefile", "html", "md", "py", "rs", "run", "sh", "toml", "ts", "txt",
];

const HOSTS: &[&str] = &[
    concat!("crates", ".io"),
    concat!("deb.debian", ".org"),
    concat!("files.pythonhosted", ".org"),
    concat!("npmjs", ".org"),
    concat!("proxy.golang", ".org"),
    concat!("pypi", ".org"),
];

pub(super) fn check(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in tree.with_extension(KINDS) {
        for (number, line) in file.lines() {
            for host in HOSTS.iter().filter(|host| line.contains(**host)) {
                let text = format!("`{host}` is a registry's host: name the package alone");
                complaints.push(Complaint::new(file, number, text));
            }
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_host_is_seen() {
        for host in HOSTS {
            let text = format!("fine\nfrom https://{host}/x\n");
            let complaints = check(&Tree::of(&[("README.md", &text)]));
            assert_eq!(complaints.len(), 1, "{host}");
            assert_eq!(complaints[0].line, 2);
        }
    }
}
