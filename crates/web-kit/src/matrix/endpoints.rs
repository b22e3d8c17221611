//! Endpoints under all the paths that the specification gave them.

use super::error::MatrixError;
use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter};
use http::{Method, StatusCode};
use ruma::api::Metadata;
use ruma::api::error::ErrorKind;
use ruma::api::path_builder::PathBuilder;
use std::collections::BTreeMap;

/// One operation that is served.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Operation {
    /// The path with its parameters in braces.
    pub path: &'static str,
    /// The method.
    pub method: String,
}

/// A router in the making that remembers its operations.
pub struct Endpoints<S> {
    // One method router a path: axum joins the methods of a path only if they come together.
    routes: BTreeMap<&'static str, MethodRouter<S>>,
    operations: Vec<Operation>,
}

impl<S: Clone + Send + Sync + 'static> Default for Endpoints<S> {
    fn default() -> Self {
        Self {
            routes: BTreeMap::new(),
            operations: Vec::new(),
        }
    }
}

impl<S: Clone + Send + Sync + 'static> Endpoints<S> {
    /// Serves the endpoint whose request is `R` with `handler`.
    #[must_use]
    pub fn serve<R, H, T>(mut self, handler: H) -> Self
    where
        R: Metadata,
        H: Handler<T, S>,
        T: 'static,
    {
        let paths: Vec<_> = R::PATH_BUILDER.all_paths().collect();
        for path in paths {
            self.add(path, &R::METHOD, handler.clone());
        }
        self
    }

    /// Serves `handler` at one more path.
    #[must_use]
    pub fn serve_at<H, T>(mut self, method: &Method, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        self.add(path, method, handler);
        self
    }

    fn add<H, T>(&mut self, path: &'static str, method: &Method, handler: H)
    where
        H: Handler<T, S>,
        T: 'static,
    {
        let filter =
            MethodFilter::try_from(method.clone()).expect("Matrix uses the common methods alone");
        let route = self
            .routes
            .remove(path)
            .unwrap_or_default()
            .on(filter, handler);
        self.routes.insert(path, route);
        self.operations.push(Operation {
            path,
            method: method.to_string(),
        });
    }

    /// What is served so far.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The router, and what it serves.
    pub fn into_router(self, state: S) -> (Router, Vec<Operation>) {
        let empty = Router::new();
        let router = self
            .routes
            .into_iter()
            .fold(empty, |router, (path, route)| {
                router.route(path, route.fallback(wrong_method))
            });
        (router.with_state(state), self.operations)
    }
}

/// The answer at a path that is not served: 404 `M_UNRECOGNIZED`.
pub async fn no_such_endpoint() -> MatrixError {
    MatrixError::new(
        StatusCode::NOT_FOUND,
        ErrorKind::Unrecognized,
        "there is no such endpoint here",
    )
}

/// The answer to a method that a path does not have: 405 `M_UNRECOGNIZED`.
pub async fn wrong_method() -> MatrixError {
    MatrixError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        ErrorKind::Unrecognized,
        "this endpoint has other methods",
    )
}
