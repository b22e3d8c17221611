//! Routes that remember what they are.

use super::problem::Problem;
use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter};
use http::{Method, StatusCode};
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
        let routes = self.routes.into_iter();
        let router = routes.fold(Router::new(), |router, (path, route)| {
            router.route(path, route.fallback(wrong_method))
        });
        router.with_state(state)
    }
}

async fn wrong_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "this path has other methods",
    )
}
