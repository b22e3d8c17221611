//! Whose data a folder holds.

use super::{DataDir, NAME_ANOTHER, write_whole};
use anyhow::{Context, Result, ensure};
use bongsu_base::ServerName;
use serde::{Deserialize, Serialize};

/// What the data folder's layout is called; a release that changes it counts on.
const FORMAT: u32 = 1;

/// What a data folder says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installation {
    /// The layout.
    pub format: u32,
    /// The name in people's ids.
    pub server_name: ServerName,
}

impl Installation {
    /// The installation called `server_name` in this release's layout.
    pub fn new(server_name: ServerName) -> Self {
        Self {
            format: FORMAT,
            server_name,
        }
    }

    /// What the folder says, if it says anything yet.
    pub fn read(data: &DataDir) -> Result<Option<Self>> {
        let path = data.root().join("installation.json");
        let text = match std::fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            text => text.with_context(|| format!("{} cannot be read", path.display()))?,
        };
        let found: Self = serde_json::from_slice(&text)
            .with_context(|| format!("{} is damaged", path.display()))?;
        found
            .check()
            .with_context(|| format!("{}", path.display()))?;
        Ok(Some(found))
    }

    /// Whether this release knows the layout.
    pub fn check(&self) -> Result<()> {
        ensure!(
            self.format == FORMAT,
            "the data have layout {}, and this release knows layout {FORMAT}; run the release they come from",
            self.format
        );
        Ok(())
    }

    /// Writes it into the folder.
    pub fn write(&self, data: &DataDir) -> Result<()> {
        let json = serde_json::to_vec_pretty(self)?;
        write_whole(&data.root().join("installation.json"), &json)
    }

    /// The folder's installation, made if the folder is new. `wanted` is what the operator calls it.
    pub fn settle(data: &DataDir, wanted: Option<&ServerName>) -> Result<Self> {
        if let Some(found) = Self::read(data)? {
            found.check_name(data, wanted)?;
            return Ok(found);
        }
        let name = match wanted {
            Some(name) => name.clone(),
            None => "localhost".parse().expect("it is a host name"),
        };
        let installation = Self::new(name);
        installation.write(data)?;
        Ok(installation)
    }

    /// The installation of a folder that has to hold one: nothing is made. `wanted` is what the operator calls it.
    pub fn expect(data: &DataDir, wanted: Option<&ServerName>) -> Result<Self> {
        data.expect()?;
        let found = Self::read(data)?.with_context(|| {
            let root = data.root().display();
            format!("{root} holds no data of Bongsu; {NAME_ANOTHER}")
        })?;
        found.check_name(data, wanted)?;
        Ok(found)
    }

    fn check_name(&self, data: &DataDir, wanted: Option<&ServerName>) -> Result<()> {
        if let Some(wanted) = wanted {
            ensure!(
                self.server_name == *wanted,
                "the data in {} belong to the installation `{}`, not `{wanted}`: people's ids carry that name, \
                 so it cannot be changed; name another folder with --data",
                data.root().display(),
                self.server_name
            );
        }
        Ok(())
    }
}
