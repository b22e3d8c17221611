//! Tokens by which other services ask who somebody is (Matrix v1.19, OpenID; server-server API,
//! `GET /openid/userinfo`).

use super::Api;
use super::plain::query_value;
use crate::command::Command;
use axum::Json;
use axum::extract::{RawQuery, State};
use bongsu_lane::Priority;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use http::StatusCode;
use ruma::api::client::account::request_openid_token::v3::{Request, Response};
use ruma::api::error::{ErrorKind, UnknownTokenErrorData};
use ruma::authentication::TokenType;
use rusqlite::OptionalExtension;
use serde_json::{Value, json};
use std::time::Duration;

/// How long a token is good.
const LASTS: Duration = Duration::from_secs(3_600);

fn hash(token: &str) -> String {
    blake3::hash(token.as_bytes()).to_hex().to_string()
}

pub async fn request(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<Request>,
) -> Answer<Response> {
    if request.user_id.as_str() != caller.user.as_str() {
        return Err(MatrixError::forbidden(
            "a token says who you are, not who others are",
        ));
    }
    let token = api.random_name();
    let command = Command::AddOpenIdToken {
        hash: hash(&token),
        lasts: LASTS.as_millis() as i64,
    };
    api.submit(&caller, Priority::Normal, None, command).await?;
    let server = super::convert::theirs(api.config.server_name.as_str())?;
    Ok(Reply(Response::new(
        token,
        TokenType::Bearer,
        server,
        LASTS,
    )))
}

/// Whose token it is, for whoever has it.
pub async fn user_info(
    State(api): State<Api>,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, MatrixError> {
    let token = query_value(query.as_deref().unwrap_or_default(), "access_token");
    let Some(token) = token else {
        return Err(MatrixError::new(
            StatusCode::UNAUTHORIZED,
            ErrorKind::MissingToken,
            "this needs the token in `access_token`",
        ));
    };
    let (hash, now) = (hash(&token), api.clock.now().0);
    let found = api.lane.read(|view| {
        view.db()
            .prepare_cached("SELECT user FROM openid_token WHERE hash = ?1 AND expires > ?2")?
            .query_row((&hash, now), |row| row.get::<_, String>(0))
            .optional()
    });
    let unknown = || {
        let kind = ErrorKind::UnknownToken(UnknownTokenErrorData::new());
        let message = "the token is unknown or over";
        MatrixError::new(StatusCode::UNAUTHORIZED, kind, message)
    };
    let user = found.await?.ok_or_else(unknown)?;
    Ok(Json(json!({ "sub": user })))
}
