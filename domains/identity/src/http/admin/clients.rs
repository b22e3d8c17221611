//! Clients of the OpenID provider, as an operator sees and makes them.

use crate::command::oauth::{ClientAct, ClientId, NewClient};
use crate::http::oauth::prepare;
use crate::provider::Provider;
use crate::provider::client::{Metadata, MetadataError};
use crate::query::{self, ClientRow};
use crate::secret::Token;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::IntoResponse;
use bongsu_base::Millis;
use bongsu_web_kit::admin::{
    Acting, Body, Done, Operator, Page, PageQuery, Problem, Reason, Refusals,
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How long a secret is taken after it was replaced, where nobody says: a day.
const OVERLAP_SECONDS: u32 = 24 * 60 * 60;

/// A client.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ListedClient {
    /// Its id.
    pub client_id: String,
    /// Its name, for people.
    pub name: String,
    /// Whether people are not asked before it learns of them.
    pub trusted: bool,
    /// Whether it registered itself.
    pub registered: bool,
    /// Whether it has a secret.
    pub has_secret: bool,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: i64,
}

/// A client with all that it says of itself.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ShownClient {
    /// The client.
    #[serde(flatten)]
    pub client: ListedClient,
    /// What it says.
    pub metadata: Metadata,
}

/// A client to add.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddedClient {
    /// Its id; made up where nobody says.
    #[serde(default)]
    pub client_id: Option<String>,
    /// What it is (RFC 7591).
    pub metadata: Metadata,
    /// Whether people are not asked before it learns of them.
    #[serde(default)]
    pub trusted: bool,
    /// Why, for the audit log.
    #[serde(default)]
    pub reason: Option<String>,
}

/// A client's new secret.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct NewSecret {
    /// Its id.
    pub client_id: String,
    /// Its secret, shown this once; missing where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
}

/// A secret to replace.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rotating {
    /// How long the old one is taken too, in seconds; a day where nobody says.
    pub overlap_seconds: Option<u32>,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

impl Reason for AddedClient {
    fn reason(&self) -> Option<&String> {
        self.reason.as_ref()
    }
}

impl Reason for Rotating {
    fn reason(&self) -> Option<&String> {
        self.reason.as_ref()
    }
}

impl From<MetadataError> for Problem {
    fn from(error: MetadataError) -> Self {
        Self::bad_request(error.to_string())
    }
}

fn shown(row: ClientRow) -> Result<ShownClient, Problem> {
    let metadata: Metadata = serde_json::from_str(&row.metadata).map_err(Problem::internal)?;
    let name = metadata.client_name.clone();
    Ok(ShownClient {
        client: ListedClient {
            name: name.unwrap_or_else(|| row.client.to_string()),
            client_id: row.client.to_string(),
            trusted: row.trusted,
            registered: row.registered,
            has_secret: row.secret.is_some(),
            created_ms: row.made.0,
        },
        metadata,
    })
}

fn id(text: &str) -> Result<ClientId, Problem> {
    text.parse()
        .map_err(|error: crate::command::oauth::NoClientId| Problem::bad_request(error.to_string()))
}

/// List the clients of the OpenID provider.
#[utoipa::path(get, path = "/admin/v1/clients", tag = "administration: sign-in",
    params(PageQuery), responses((status = 200, body = Page<ListedClient>), Refusals))]
pub async fn list(
    State(provider): State<Provider>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<ListedClient>>, Problem> {
    let limit = page.limit();
    let after = page.cursor.unwrap_or_default();
    let look = provider
        .accounts()
        .read(|view| query::clients(view, &after, limit + 1));
    let all: Result<Vec<_>, Problem> = look.await?.into_iter().map(shown).collect();
    let all = all?.into_iter().map(|shown| shown.client).collect();
    Ok(Json(Page::of(all, limit, |one: &ListedClient| {
        one.client_id.clone()
    })))
}

/// Show a client of the OpenID provider.
#[utoipa::path(get, path = "/admin/v1/clients/{client}", tag = "administration: sign-in",
    params(("client" = String, Path)), responses((status = 200, body = ShownClient), Refusals))]
pub async fn show(
    State(provider): State<Provider>,
    Path(client): Path<String>,
) -> Result<Json<ShownClient>, Problem> {
    let client = id(&client)?;
    let look = provider
        .accounts()
        .read(|view| query::client(view, &client));
    let none = || Problem::not_found(format!("there is no client {client}"));
    Ok(Json(shown(look.await?.ok_or_else(none)?)?))
}

/// Add a client to the OpenID provider.
#[utoipa::path(post, path = "/admin/v1/clients", tag = "administration: sign-in",
    request_body = AddedClient, responses((status = 201, body = NewSecret), Refusals))]
pub async fn add(
    State(provider): State<Provider>,
    operator: Operator,
    Body(asked): Body<AddedClient>,
) -> Result<impl IntoResponse, Problem> {
    let reason = asked.kept_reason()?;
    asked.metadata.check()?;
    let prepared = prepare(&provider, &asked.metadata);
    let (made_up, client_secret, new) =
        prepared.map_err(|_| Problem::internal("a client cannot be made"))?;
    let client = match &asked.client_id {
        Some(text) => id(text)?,
        None => made_up,
    };
    let new = NewClient {
        trusted: asked.trusted,
        ..new
    };
    let client_id = client.to_string();
    let act = ClientAct::Add(new);
    provider.administer(operator, reason, (client, act)).await?;
    let made = NewSecret {
        client_id,
        client_secret,
    };
    Ok((StatusCode::CREATED, Json(made)))
}

/// Give a client a new secret.
#[utoipa::path(post, path = "/admin/v1/clients/{client}/rotate", tag = "administration: sign-in",
    params(("client" = String, Path)), request_body = Rotating,
    responses((status = 200, body = NewSecret), Refusals))]
pub async fn rotate(
    State(provider): State<Provider>,
    operator: Operator,
    Path(client): Path<String>,
    Body(asked): Body<Rotating>,
) -> Result<Json<NewSecret>, Problem> {
    let reason = asked.kept_reason()?;
    let client = id(&client)?;
    let client_id = client.to_string();
    let secret = Token::fresh(provider.accounts().lane());
    let overlap = asked.overlap_seconds.unwrap_or(OVERLAP_SECONDS);
    let act = ClientAct::Rotate {
        secret: secret.hash(),
        overlap: Millis::seconds(overlap.into()),
    };
    provider.administer(operator, reason, (client, act)).await?;
    Ok(Json(NewSecret {
        client_id,
        client_secret: Some(secret.reveal().to_owned()),
    }))
}

/// Remove a client; its sessions end.
#[utoipa::path(post, path = "/admin/v1/clients/{client}/remove", tag = "administration: sign-in",
    params(("client" = String, Path)), request_body = Acting,
    responses((status = 200, body = Done), Refusals))]
pub async fn remove(
    State(provider): State<Provider>,
    operator: Operator,
    Path(client): Path<String>,
    Body(asked): Body<Acting>,
) -> Result<Done, Problem> {
    let reason = asked.kept_reason()?;
    let act = (id(&client)?, ClientAct::Remove);
    provider.administer(operator, reason, act).await?;
    Ok(Done {})
}
