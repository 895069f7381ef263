//! Lists of what others registered: one that is wrong does not take the others with it.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize as _, Deserializer};
use serde_json::Value;

/// The items of a list that can be read.
pub(super) fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Vec<T>, D::Error> {
    Ok(Vec::<Value>::deserialize(from)?.into_iter().filter_map(read).collect())
}

/// The members of a map that can be read.
pub(super) fn map<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    from: D,
) -> Result<BTreeMap<String, T>, D::Error> {
    let all = BTreeMap::<String, Value>::deserialize(from)?;
    Ok(all.into_iter().filter_map(|(name, value)| Some((name, read(value)?))).collect())
}

fn read<T: DeserializeOwned>(value: Value) -> Option<T> {
    T::deserialize(value).inspect_err(|error| tracing::warn!(%error, "the NRF tells what cannot be read")).ok()
}
