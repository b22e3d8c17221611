//! A web server that lets people in who signed in here: Apache with mod_auth_openidc, as Debian has them.

use anyhow::{Context, Result, ensure};
use bongsu_clients::{Browser, Server, TEST_PASSWORD};
use reqwest::Url;
use serde_json::Value;
use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::{Duration, Instant, sleep};

/// Where Debian has Apache's modules.
const MODULES: &str = "/usr/lib/apache2/modules";
/// What stands on the page that is protected.
const SECRET: &str = "the beacons are lit";

/// A running Apache. Dropping it ends the process.
struct Apache {
    process: Child,
    folder: TempDir,
    address: String,
}

impl Drop for Apache {
    fn drop(&mut self) {
        let ended = self.process.kill().and_then(|()| self.process.wait());
        if std::thread::panicking() || ended.is_err() {
            let told = fs::read_to_string(self.folder.path().join("error.log"));
            eprintln!("Apache said:\n{}", told.unwrap_or_default());
        }
    }
}

fn configuration(folder: &Path, address: &str, (issuer, client): (&str, &Value)) -> String {
    let folder = folder.display();
    let modules: String = [
        "mpm_event",
        "authn_core",
        "authz_core",
        "authz_user",
        "mime",
        "dir",
        "auth_openidc",
    ]
    .map(|name| format!("LoadModule {name}_module {MODULES}/mod_{name}.so\n"))
    .concat();
    let text = |name: &str| client[name].as_str().unwrap_or_default();
    let (id, secret) = (text("client_id"), text("client_secret"));
    format!(
        r#"{modules}
ServerRoot {folder}
PidFile {folder}/pid
DefaultRuntimeDir {folder}
ErrorLog {folder}/error.log
Listen {address}
ServerName {address}
User www-data
Group www-data
TypesConfig /etc/mime.types
DocumentRoot {folder}/pages
<Directory {folder}/pages>
    Require all granted
</Directory>
OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID {id}
OIDCClientSecret {secret}
OIDCRedirectURI http://{address}/own/back
OIDCCryptoPassphrase a-beacon-on-every-hill
OIDCPKCEMethod S256
OIDCScope "openid profile"
OIDCRemoteUserClaim sub
<Location /own>
    AuthType openid-connect
    Require claim sub:@mina:localhost
</Location>
<Location /juns>
    AuthType openid-connect
    Require claim sub:@jun:localhost
</Location>
"#
    )
}

impl Apache {
    async fn start(address: String, issuer: &str, client: &Value) -> Result<Self> {
        ensure!(
            Path::new(MODULES).join("mod_auth_openidc.so").exists(),
            "mod_auth_openidc is missing: run `make setup` first"
        );
        let folder = TempDir::new()?;
        // Whoever serves the pages is not who starts the server.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
        for name in ["own", "juns"] {
            fs::create_dir_all(folder.path().join("pages").join(name))?;
            fs::write(
                folder.path().join("pages").join(name).join("page.html"),
                SECRET,
            )?;
        }
        let file = folder.path().join("apache.conf");
        fs::write(
            &file,
            configuration(folder.path(), &address, (issuer, client)),
        )?;
        let process = Command::new("/usr/sbin/apache2")
            .arg("-f")
            .arg(&file)
            .args(["-D", "FOREGROUND"])
            .stdin(Stdio::null())
            .spawn()
            .context("cannot start Apache: run `make setup` first")?;
        let mut apache = Self {
            process,
            folder,
            address,
        };
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(&apache.address).await.is_err() {
            let ended = apache.process.try_wait()?;
            ensure!(
                ended.is_none() && Instant::now() < deadline,
                "Apache did not start"
            );
            sleep(Duration::from_millis(20)).await;
        }
        Ok(apache)
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

#[tokio::test]
async fn a_page_of_apache_is_for_whoever_signed_in_here() -> Result<()> {
    let server = Server::start().await?;
    server.administer(&["user", "add", "mina", "--password-stdin"], TEST_PASSWORD)?;
    server.keys_made().await?;
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
    let (back, after) = (
        format!("http://{address}/own/back"),
        format!("http://{address}/open.html"),
    );
    let words = [
        "client",
        "add",
        "Apache",
        "--redirect-uri",
        &back,
        "--post-logout-redirect-uri",
        &after,
    ];
    let client = server.administer(&words, "")?;
    let apache = Apache::start(address, &server.base_url(), &client).await?;
    let mut browser = Browser::new()?;
    let asked = browser.go(&apache.url("/own/page.html")).await?;
    assert!(
        asked.url.as_str().starts_with(&server.base_url()),
        "{}",
        asked.url
    );
    let page = browser.sign_in(asked, "mina", TEST_PASSWORD).await?;
    assert_eq!((page.status, page.text.as_str()), (200, SECRET));
    assert_eq!(page.url.as_str(), apache.url("/own/page.html"));
    let juns = browser.go(&apache.url("/juns/page.html")).await?;
    assert_eq!(juns.status, 401, "it is somebody else's: {}", juns.text);
    let mut out = Url::parse(&back)?;
    out.query_pairs_mut().append_pair("logout", &after);
    let page = browser.ask(out, None).await?;
    let here = |url: &Url| url.as_str() != after;
    let page = browser.follow(page, here).await?;
    assert_eq!(
        page.leads_to.map(String::from),
        Some(after.clone()),
        "{}",
        page.text
    );
    let again = browser.go(&apache.url("/own/page.html")).await?;
    assert!(
        again.text.contains("current-password"),
        "nobody is signed in any more"
    );
    Ok(())
}
