//! SeaweedFS, which speaks S3, as a process.

use bongsu_store::{Bucket, Secret};
use std::fs::File;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

const KEY: &str = "bongsu";
pub const SECRET: &str = "a beacon on every hill";
/// How long it may take to be there.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked at, since nothing tells when it is there.
const LOOK: Duration = Duration::from_millis(50);
/// Its servers' ports, at an address of its own.
const PORTS: [(&str, u16); 8] = [
    ("master.port", 18101),
    ("master.port.grpc", 18102),
    ("volume.port", 18103),
    ("volume.port.grpc", 18104),
    ("filer.port", 18105),
    ("filer.port.grpc", 18106),
    ("s3.port", S3),
    ("s3.port.grpc", 18108),
];
const S3: u16 = 18107;

/// SeaweedFS over a folder of its own. Dropping it ends the process and deletes the folder.
pub struct Weed {
    folder: TempDir,
    process: Child,
    address: Ipv4Addr,
}

impl Weed {
    /// Starts it, and waits until it is there.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let written = File::create(folder.path().join("written.log")).unwrap();
        let address = own_address();
        let mut command = Command::new(binary());
        command
            .arg("server")
            .arg(flag("dir", folder.path().display()));
        for option in ["ip", "ip.bind"] {
            command.arg(flag(option, address));
        }
        for (option, port) in PORTS {
            command.arg(flag(option, port));
        }
        for (option, value) in [
            ("s3", "true"),
            ("s3.port.iceberg", "0"),
            ("s3.port.lance", "0"),
            ("master.telemetry", "false"),
            ("master.volumeSizeLimitMB", "64"),
            ("volume.max", "16"),
            ("volume.preStopSeconds", "0"),
        ] {
            command.arg(flag(option, value));
        }
        let sockets = [("filer.localSocket", "filer"), ("s3.localSocket", "s3")];
        for (option, name) in sockets {
            let socket = folder.path().join(name).with_extension("sock");
            command.arg(flag(option, socket.display()));
        }
        let process = command
            .env("AWS_ACCESS_KEY_ID", KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(written.try_clone().unwrap())
            .stderr(written)
            .spawn()
            .unwrap();
        let mut weed = Self {
            folder,
            process,
            address,
        };
        weed.wait_until_there().await;
        weed
    }

    async fn wait_until_there(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect((self.address, S3)).await.is_err() {
            let ended = self.process.try_wait().unwrap();
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "SeaweedFS is not there; it wrote:\n{}",
                std::fs::read_to_string(self.folder.path().join("written.log")).unwrap()
            );
            sleep(LOOK).await;
        }
    }

    /// A part of a bucket, which is made by writing to it.
    pub fn bucket(&self, prefix: &str) -> Bucket {
        Bucket {
            endpoint: Some(format!("http://{}:{S3}", self.address)),
            region: "kr-seoul".to_owned(),
            bucket: "blobs-of-a-test".to_owned(),
            prefix: prefix.to_owned(),
            access_key_id: KEY.to_owned(),
            secret_access_key: Secret::new(SECRET),
            trusted: None,
        }
    }
}

impl Drop for Weed {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn flag(name: &str, value: impl std::fmt::Display) -> String {
    format!("-{name}={value}")
}

/// An address of this machine's loopback that no other test uses: one for each process.
fn own_address() -> Ipv4Addr {
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 64 | high, middle, low.clamp(1, 254))
}

/// The program that `make setup` puts beside the Python of the tests.
fn binary() -> PathBuf {
    let python = std::env::var_os("BONGSU_PYTHON").map(PathBuf::from);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    let python = python.unwrap_or_else(|| root.unwrap().join(".tools/venv/bin/python"));
    let path = python.with_file_name("weed");
    assert!(
        path.exists(),
        "{} is missing: run `make setup` first",
        path.display()
    );
    path
}
