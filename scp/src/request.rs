//! What a client asks, so that several attempts can be made of it and few of them cost a copy.

use std::sync::Arc;

use http::request::Parts;
use http::{HeaderMap, Method, Request, Uri, Version};

use crate::body::Body;

/// A request. Attempts share its head until one of them changes it.
#[derive(Debug)]
pub struct SharedRequest {
    head: Arc<Parts>,
    content: Body,
}

impl SharedRequest {
    /// What is to be done.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.head.method
    }

    /// To what.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.head.uri
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// Changes to what.
    pub fn uri_mut(&mut self) -> &mut Uri {
        &mut Arc::make_mut(&mut self.head).uri
    }

    /// Changes the headers.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut Arc::make_mut(&mut self.head).headers
    }

    /// The version of HTTP that it came by.
    #[must_use]
    pub fn version(&self) -> Version {
        self.head.version
    }

    /// Other content instead of what is left of its own.
    pub fn set_content(&mut self, content: Body) {
        self.content = content;
    }

    /// The same with other content.
    #[must_use]
    pub fn again(&self, content: Body) -> Self {
        Self { head: Arc::clone(&self.head), content }
    }

    /// The content, which there is none of from then on.
    pub fn take_content(&mut self) -> Body {
        std::mem::take(&mut self.content)
    }
}

impl From<Request<Body>> for SharedRequest {
    fn from(request: Request<Body>) -> Self {
        let (head, content) = request.into_parts();
        Self { head: Arc::new(head), content }
    }
}
