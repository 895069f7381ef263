//! What a daemon says, as tests ask for it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Place;
use crate::failure::Failure;

impl Place {
    /// Where every session is, by its service and key.
    ///
    /// # Errors
    ///
    /// As [`Place::ask`].
    pub fn sessions(&self) -> Result<BTreeMap<String, String>, Failure> {
        let list = self.ask(&["sessions", "--all"])?;
        let sessions = list.as_array().into_iter().flatten();
        let text = |session: &Value, key: &str| session.get(key).and_then(Value::as_str).unwrap_or("?").to_owned();
        Ok(sessions
            .map(|it| (format!("{} {}", text(it, "service"), text(it, "key")), text(it, "endpoint")))
            .collect())
    }

    /// What it says of an endpoint; null where it has none of the name.
    ///
    /// # Errors
    ///
    /// As [`Place::ask`].
    pub fn endpoint(&self, pool: &str, name: &str) -> Result<Value, Failure> {
        let list = self.ask(&["endpoints"])?;
        let mut endpoints = list.as_array().into_iter().flatten();
        let is = |it: &Value, key: &str, wanted: &str| it.get(key).is_some_and(|is| is == wanted);
        Ok(endpoints.find(|it| is(it, "pool", pool) && is(it, "name", name)).cloned().unwrap_or_default())
    }

    /// How an endpoint is, in its word.
    ///
    /// # Errors
    ///
    /// As [`Place::ask`].
    pub fn state(&self, pool: &str, name: &str) -> Result<String, Failure> {
        let endpoint = self.endpoint(pool, name)?;
        Ok(endpoint.get("state").and_then(Value::as_str).unwrap_or("unknown to the daemon").to_owned())
    }
}
