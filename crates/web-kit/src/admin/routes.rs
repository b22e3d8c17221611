//! Routes that remember what they are.

use super::problem::Problem;
use axum::Router;
use axum::handler::Handler;
use axum::response::IntoResponse;
use axum::routing::{MethodFilter, MethodRouter};
use http::{Method, StatusCode, header};
use std::collections::BTreeMap;

/// A router in the making.
pub struct Routes<S> {
    routes: BTreeMap<&'static str, MethodRouter<S>>,
    operations: Vec<(Method, &'static str)>,
}

impl<S: Clone + Send + Sync + 'static> Default for Routes<S> {
    fn default() -> Self {
        Self {
            routes: BTreeMap::new(),
            operations: Vec::new(),
        }
    }
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// Reading at `path`.
    #[must_use]
    pub fn get<H: Handler<T, S>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.on(Method::GET, MethodFilter::GET, path, handler)
    }

    /// Doing something at `path`.
    #[must_use]
    pub fn post<H: Handler<T, S>, T: 'static>(self, path: &'static str, handler: H) -> Self {
        self.on(Method::POST, MethodFilter::POST, path, handler)
    }

    fn on<H: Handler<T, S>, T: 'static>(
        mut self,
        method: Method,
        filter: MethodFilter,
        path: &'static str,
        handler: H,
    ) -> Self {
        let route = self.routes.remove(path).unwrap_or_default();
        self.routes.insert(path, route.on(filter, handler));
        self.operations.push((method, path));
        self
    }

    /// What is served.
    #[must_use]
    pub fn operations(&self) -> &[(Method, &'static str)] {
        &self.operations
    }

    /// The router, without a gate: whoever serves it puts one before it.
    pub fn into_router(self, state: S) -> Router {
        let Self { routes, operations } = self;
        let router = routes
            .into_iter()
            .fold(Router::new(), |router, (path, route)| {
                let methods = operations.iter().filter(|(_, at)| *at == path);
                let methods: Vec<&str> = methods.map(|(method, _)| method.as_str()).collect();
                let allow = methods.join(", ");
                router.route(path, route.fallback(move || wrong_method(allow)))
            });
        router.with_state(state)
    }
}

/// 405 with the methods that the path has (RFC 9110, section 15.5.6).
async fn wrong_method(allow: String) -> impl IntoResponse {
    let problem = Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "this path has other methods",
    );
    ([(header::ALLOW, allow)], problem)
}
