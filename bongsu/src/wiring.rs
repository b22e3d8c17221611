//! Opening the house: each domain's log and lane, and the media.

mod bank;
mod lane;
mod log;
mod sign_in;
mod sites;

pub use lane::OpenLane;
pub use log::options as log_options;
pub use sign_in::find_vault;
pub use sites::{Abroad, MEDIA, SNAPSHOTS, forget_log, stream_id};

use crate::config::{Config, WhoMayRegister};
use crate::data::{DataDir, Installation};
use crate::engine::EngineWatch;
use anyhow::{Context, Result};
use axum::Router;
use bongsu_base::{Millis, ServerName};
use bongsu_fetch::Fetcher;
use bongsu_flows::{IdentityFlows, PayFlows};
use bongsu_identity::http::Api as IdentityApi;
use bongsu_identity::{Accounts, Identity, Provider, Registration, Vault};
use bongsu_media::{Limits, Media};
use bongsu_pay::http::{Api as PayApi, AtBank, Invariants, Rates, Signing, TellerMetrics};
use bongsu_pay::{BankOrders, Pay};
use bongsu_talk::Talk;
use bongsu_talk::http::{
    Allowed, Api as TalkApi, Clock, Config as TalkConfig, Counts, Gallery, Listeners, MediaRules,
    MembersTold, Parts as TalkParts, PresenceNow, Previews, RetentionPolicy, Sending, TypingNow,
};
use bongsu_web_kit::Authenticate;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The lanes by name, in the order in which a backup takes them: what refers to people comes before
/// the people, so that nobody referred to is missing.
pub const LANES: [&str; 3] = [
    <Pay as bongsu_lane::Domain>::NAME,
    <Talk as bongsu_lane::Domain>::NAME,
    <Identity as bongsu_lane::Domain>::NAME,
];

/// The same in the order in which data centres are asked to lead their logs. A new one is appended: those that run an
/// older version then agree on who leads the others.
const LED: [&str; LANES.len()] = [
    <Talk as bongsu_lane::Domain>::NAME,
    <Identity as bongsu_lane::Domain>::NAME,
    <Pay as bongsu_lane::Domain>::NAME,
];

/// How lanes run.
#[derive(Debug, Clone)]
pub struct Pace {
    /// How often the canary sings.
    pub canary: Duration,
    /// Entries between two snapshots.
    pub snapshot_every: u64,
}

impl From<&Config> for Pace {
    fn from(config: &Config) -> Self {
        // The canaries alone make so many entries in a day. What is purged is gone from the log once two
        // snapshots were taken after it.
        let a_day = 24 * 60 * 60 / u64::from(config.canary_seconds);
        let most = if config.retention == RetentionPolicy::default() {
            u64::MAX
        } else {
            a_day.max(1)
        };
        Self {
            canary: Duration::from_secs(config.canary_seconds.into()),
            snapshot_every: config.snapshot_every.min(most),
        }
    }
}

/// Everything that a running server consists of, but for its HTTP.
pub struct House {
    /// The name in people's ids.
    pub server_name: ServerName,
    /// Sign-in.
    pub identity: OpenLane<Identity>,
    /// Rooms and messages.
    pub talk: OpenLane<Talk>,
    /// Money.
    pub pay: OpenLane<Pay>,
    /// Accounts as gateways handle them.
    pub accounts: Accounts,
    /// Files.
    pub media: Media,
    /// The other data centres, if there are any.
    pub abroad: Option<Abroad>,
    /// How telling merchants goes.
    pub told: TellerMetrics,
    /// The bank.
    pub bank: AtBank,
    /// Whether the books are in order.
    pub invariants: Invariants,
    vault: Vault,
}

impl House {
    /// Opens everything in the locked folder `data`.
    pub async fn open(
        data: &DataDir,
        config: &Config,
        installation: &Installation,
    ) -> Result<Self> {
        let server_name = installation.server_name.clone();
        let pace = Pace::from(config);
        let vault = sign_in::vault(data, config)?;
        let abroad = Abroad::of(config).await?;
        let mut media = Media::local(&data.media(), Limits::default())?;
        if let Some(abroad) = &abroad {
            media = media.across(abroad.media());
        }
        let identity = OpenLane::<Identity>::open(data, &pace, abroad.as_ref()).await?;
        let accounts = accounts(&identity, config, &server_name)?;
        let talk = OpenLane::<Talk>::open(data, &pace, abroad.as_ref()).await?;
        let pay = OpenLane::<Pay>::open(data, &pace, abroad.as_ref()).await?;
        Ok(Self {
            server_name,
            identity,
            talk,
            pay,
            accounts,
            media,
            abroad,
            told: TellerMetrics::default(),
            bank: bank::open(data, config)?,
            invariants: Invariants::default(),
            vault,
        })
    }

    /// Sign-in for other services, which people reach at `base_url`. What identity asks of others is carried out from
    /// now on.
    pub fn begin_sign_in(&self, config: &Config, base_url: &str) -> Provider {
        let how = config.sign_in.provider(base_url, config.sites.is_none());
        let fetcher = Fetcher::new(config.sign_in.logout.clone());
        let provider = Provider::new(self.accounts.clone(), how, self.vault.clone(), fetcher);
        let flows = IdentityFlows {
            talk: self.talk.lane.clone(),
            provider: provider.clone(),
        };
        tokio::spawn(self.identity.lane.clone().run_effects(flows));
        let (bank, metrics) = (self.bank.asked.clone(), self.bank.metrics.clone());
        let flows = PayFlows {
            talk: self.talk.lane.clone(),
            orders: BankOrders::new(self.pay.lane.clone(), bank, metrics),
        };
        tokio::spawn(self.pay.lane.clone().run_effects(flows));
        provider
    }

    /// What identity's endpoints work with, for whoever `authenticator` lets in.
    pub fn identity_api(&self, authenticator: &Arc<dyn Authenticate>) -> IdentityApi {
        IdentityApi::new(self.accounts.clone(), authenticator.clone(), &self.vault)
    }

    /// What talk's endpoints work with.
    pub fn talk_api(&self, config: &Config, base_url: &str, provider: &Provider) -> TalkApi {
        let people = Arc::new(self.accounts.clone());
        let lane = &self.talk.lane;
        TalkApi::new(TalkParts {
            lane: lane.clone(),
            authenticator: Arc::new(provider.clone()),
            people,
            media: self.media.clone(),
            typing: TypingNow::new(lane.wake().clone()),
            sending: Sending::default(),
            far: self.abroad.as_ref().map(Abroad::far).unwrap_or_default(),
            gallery: Gallery::default(),
            previews: config
                .previews
                .clone()
                .map(|rules| Previews::new(Fetcher::new(rules))),
            config: Arc::new(TalkConfig {
                server_name: self.server_name.clone(),
                base_url: base_url.to_owned(),
                max_upload_bytes: config.max_upload_bytes,
                media: MediaRules {
                    quota_bytes: config.media_quota_bytes,
                    open_downloads: config.open_media,
                    ..MediaRules::default()
                },
                presence: config.presence,
                turn: config.turn.clone(),
                support: config.support.clone(),
            }),
            presence: PresenceNow::new(lane.wake().clone()),
            counts: Counts::default(),
            listeners: Listeners::default(),
            allowed: Allowed::default(),
            members_told: MembersTold::default(),
            clock: Clock::system(),
        })
    }

    /// What pay's endpoints work with.
    pub fn pay_api(&self, config: &Config, provider: &Provider) -> PayApi {
        PayApi {
            lane: self.pay.lane.clone(),
            authenticator: Arc::new(provider.clone()),
            secret: self.vault.secret("codes of payment links"),
            clock: Clock::system(),
            rates: Rates::default(),
            signing: Signing::new(self.vault.secrets("secrets of merchants' webhooks")),
            fetcher: Fetcher::new(config.webhooks.clone()),
            told: self.told.clone(),
            bank: self.bank.clone(),
            invariants: self.invariants.clone(),
        }
    }

    /// The routes of administration, without a gate.
    pub fn administration(&self, talk: TalkApi, pay: PayApi, provider: Provider) -> Router {
        use bongsu_identity::http::admin as identity;
        identity::routes()
            .into_router(self.accounts.clone())
            .merge(identity::provider_routes().into_router(provider))
            .merge(bongsu_talk::http::admin::routes().into_router(talk))
            .merge(bongsu_pay::http::admin::routes().into_router(pay))
    }

    /// How the engines of its logs are, where there are any.
    pub fn engines(&self) -> EngineWatch {
        let all = [&self.identity.engine, &self.talk.engine, &self.pay.engine];
        EngineWatch::new(all.into_iter().flatten().cloned())
    }

    /// Returns once the other data centres agree that what is here is wrong.
    pub fn condemned(&self) -> impl Future<Output = ()> + Send + 'static {
        let (identity, talk) = (self.identity.lane.clone(), self.talk.lane.clone());
        let pay = self.pay.lane.clone();
        async move {
            tokio::select! {
                () = identity.condemned() => {}
                () = talk.condemned() => {}
                () = pay.condemned() => {}
            }
        }
    }

    /// Answers what was asked, and closes everything.
    pub async fn close(self) -> Result<()> {
        let Self {
            identity,
            talk,
            pay,
            accounts,
            ..
        } = self;
        drop(accounts);
        // First the one whose effects the other carries out.
        let closed = identity.close().await;
        talk.close().await?;
        pay.close().await?;
        closed
    }
}

/// The accounts in the lane `identity`, as `config` has it.
pub fn accounts(
    identity: &OpenLane<Identity>,
    config: &Config,
    server_name: &ServerName,
) -> Result<Accounts> {
    let registration = match (config.registration, &config.registration_token) {
        (WhoMayRegister::Open, _) => Registration::Open,
        (WhoMayRegister::Token, Some(token)) => Registration::Token(token.clone()),
        (WhoMayRegister::Token, None) | (WhoMayRegister::Closed, _) => Registration::Closed,
    };
    let mut how = bongsu_identity::Config::new(server_name.clone(), registration);
    how.access_token_lifetime = Millis::seconds(config.access_token_seconds.into());
    Accounts::new(identity.lane.clone(), how).context("the accounts cannot be opened")
}

/// The snapshots in `folder`, on the disk once they are written.
pub fn snapshot_store(folder: &Path) -> Result<Arc<dyn ObjectStore>> {
    let store = LocalFileSystem::new_with_prefix(folder)
        .with_context(|| format!("the folder {} cannot be used", folder.display()))?;
    Ok(Arc::new(store.with_fsync(true)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_log_has_its_place_among_those_that_are_led() {
        let (mut all, mut led) = (LANES, LED);
        assert_eq!(led[..2], ["talk", "identity"], "released");
        all.sort_unstable();
        led.sort_unstable();
        assert_eq!(all, led);
    }
}
