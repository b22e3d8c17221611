//! The description of the program's own interfaces. Matrix describes its own.

use axum::Json;
use utoipa::OpenApi;

/// The interfaces that are ours.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Bongsu",
        description = "Bongsu's own interfaces. People's clients use the Matrix client-server API beside them, \
                       which the Matrix specification describes. What stands under /admin is for those who have the token of \
                       an account that may administer, and is answered without one through the socket \
                       `control.sock` in the data folder.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    paths(
        crate::page::page,
        crate::serve::data_centres,
        crate::page::style,
        crate::health::live,
        crate::health::ready,
        crate::metrics::metrics,
        openapi
    ),
    components(schemas(bongsu_web_kit::admin::ProblemBody))
)]
struct Description;

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "operation",
    responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
pub async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(description())
}

/// The interfaces of the binary and those of the domains.
fn description() -> utoipa::openapi::OpenApi {
    let mut all = Description::openapi();
    all.merge(bongsu_identity::http::admin::description());
    all.merge(bongsu_identity::http::oauth::description());
    all.merge(bongsu_talk::http::admin::description());
    all.merge(bongsu_pay::http::description());
    all
}

/// The description as text.
pub fn text() -> anyhow::Result<String> {
    Ok(description().to_pretty_json()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_somewhere() {
        let text = text().expect("it is described");
        let described: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let named = text.split("\"$ref\": \"#").skip(1);
        let named: Vec<&str> = named.filter_map(|rest| rest.split('"').next()).collect();
        assert!(named.len() > 100, "{}", named.len());
        for name in named {
            assert!(described.pointer(name).is_some(), "{name}");
        }
        let all = text.matches("\"$ref\"").count();
        assert_eq!(all, text.matches("\"$ref\": \"#/").count(), "all are local");
    }

    #[test]
    fn every_route_of_administration_and_sign_in_is_described() {
        let described = description();
        let identity = bongsu_identity::http::admin::routes();
        let clients = bongsu_identity::http::admin::provider_routes();
        let sign_in = bongsu_identity::http::oauth::routes();
        let talk = bongsu_talk::http::admin::routes();
        let all = identity.operations().iter().chain(talk.operations());
        let pay = bongsu_pay::http::routes();
        let pay_admin = bongsu_pay::http::admin::routes();
        let all = all.chain(pay.operations()).chain(pay_admin.operations());
        let all = all.chain(clients.operations()).chain(sign_in.operations());
        for (method, path) in all {
            let item = described.paths.paths.get(*path);
            let found = item.is_some_and(|item| match method.as_str() {
                "GET" => item.get.is_some(),
                _ => item.post.is_some(),
            });
            assert!(found, "{method} {path}");
        }
    }
}
