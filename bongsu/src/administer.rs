//! Administering from the command line: each verb is a request to the administration that the server
//! serves over HTTP, asked through the control socket while it runs, and of the same handlers in this
//! process while it does not.

mod ask;
mod password;
mod pay;
mod print;
mod reconcile;
mod sign_in;
mod verbs;

use crate::cli::{
    Audit, ClientVerb, KeysVerb, MediaVerb, MoneyVerb, Place, ReportVerb, RoomVerb, UserVerb,
};
use crate::config::{Config, Layer};
use crate::say;
use anyhow::{Result, ensure};
use ask::Operator;
use print::Columns;
pub use reconcile::reconcile;
use serde_json::{Value, json};

/// What a verb asks for, and how its answer is shown.
pub struct Asked {
    /// Whether something is done, and with what.
    body: Option<Value>,
    path: String,
    shown: Shown,
    json: bool,
    place: Place,
}

/// How an answer is shown to a person.
enum Shown {
    /// These columns of a list of pages.
    List(Columns),
    /// Each field.
    Fields,
    /// As it comes, for a file.
    File,
    /// These words, once it is done, and what came back.
    Done(String),
    /// These words and the new password.
    Password(String, Option<String>),
}

/// What is administered.
pub enum What {
    /// Accounts.
    User(UserVerb),
    /// Rooms.
    Room(RoomVerb),
    /// Media.
    Media(MediaVerb),
    /// Reports.
    Report(ReportVerb),
    /// Services that people sign in to.
    Client(ClientVerb),
    /// The keys of sign-in.
    Keys(KeysVerb),
    /// Money.
    Pay(MoneyVerb),
}

/// Does what was asked for. `load` reads the configuration.
pub async fn administer(what: What, load: impl FnOnce(Layer) -> Result<Config>) -> Result<()> {
    let mut asked = match what {
        What::User(verb) => verbs::user(verb)?,
        What::Room(verb) => verbs::room(verb),
        What::Media(verb) => verbs::media(verb),
        What::Report(verb) => verbs::report(verb),
        What::Client(verb) => sign_in::client(verb),
        What::Keys(verb) => sign_in::keys(verb),
        What::Pay(verb) => pay::pay(verb),
    };
    let config = load(std::mem::take(&mut asked.place).into())?;
    let mut operator = Operator::connect(&config).await?;
    let told = tell(&mut operator, &asked).await;
    operator.close().await?;
    told
}

async fn tell(operator: &mut Operator, asked: &Asked) -> Result<()> {
    let Asked { body, path, .. } = asked;
    match (&asked.shown, body) {
        (Shown::List(columns), _) => {
            let items = operator.all(path).await?;
            if asked.json {
                return print::json(&Value::Array(items));
            }
            print::table(columns, &items);
        }
        (Shown::File, _) => say::bytes(&operator.file(path).await?),
        (shown, body) => {
            let mut answer = operator.ask(path, body.as_ref()).await?;
            if let Shown::Password(_, Some(password)) = shown
                && asked.json
            {
                answer["password"] = json!(password);
            }
            match shown {
                _ if asked.json => return print::json(&answer),
                Shown::Done(words) => {
                    say::line(words);
                    print::fields(&answer);
                }
                Shown::Password(words, made_up) => {
                    let id = answer["user_id"].as_str();
                    say::line(id.map_or_else(|| words.clone(), |id| format!("{id} {words}")));
                    if let Some(password) = made_up {
                        say::line(format_args!("Its password, shown this once: {password}"));
                    }
                }
                Shown::List(_) | Shown::Fields | Shown::File => print::fields(&answer),
            }
        }
    }
    Ok(())
}

/// The domains that keep an audit log.
const AUDITED: [&str; 3] = ["identity", "talk", "pay"];

/// Shows what operators did in all domains, or checks that the logs of it are whole.
pub async fn audit(asked: &Audit, config: &Config) -> Result<()> {
    let mut operator = Operator::connect(config).await?;
    let told = tell_audit(&mut operator, asked).await;
    operator.close().await?;
    told
}

async fn tell_audit(operator: &mut Operator, asked: &Audit) -> Result<()> {
    if asked.check {
        let mut whole = true;
        for domain in AUDITED {
            let path = format!("/admin/v1/audit/{domain}/check");
            let found = operator.ask(&path, None).await?;
            let (intact, line) = (found["intact"] == true, &found["line"]);
            whole &= intact;
            say::line(if intact {
                format!("{domain}: {line} lines, each following from those before it")
            } else {
                format!("{domain}: line {line} does not follow from those before it")
            });
        }
        ensure!(whole, "an audit log is not what was written");
        return Ok(());
    }
    let mut lines = Vec::new();
    for domain in AUDITED {
        for mut line in operator.all(&format!("/admin/v1/audit/{domain}")).await? {
            line["domain"] = json!(domain);
            lines.push(line);
        }
    }
    lines.sort_by_key(|line| std::cmp::Reverse(line["time_ms"].as_i64()));
    if asked.how.json {
        return print::json(&Value::Array(lines));
    }
    let columns = &["time_ms", "who", "act", "target", "reason"];
    print::table(columns, &lines);
    Ok(())
}
