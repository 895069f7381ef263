//! An SCP in the clear.

use http::Request;
use pinion_scp::settings::Settings;
use pinion_scp::{Prepared, Speech};

use crate::running::{Running, SCP, run};

/// Runs it.
pub(crate) async fn scp(settings: Settings) -> Running {
    run(Prepared::new(settings, None, None), Speech::Clear).await
}

/// A GET of a path of it.
pub(crate) fn get(path: &str) -> http::request::Builder {
    Request::get(format!("http://{SCP}{path}"))
}
