//! What others registered, and NRFs answer: what is wrong of it does not take the rest with it. Some write null where there is
//! nothing to say.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize as _, Deserializer};
use serde_json::Value;

/// A member that the rest does not depend on, where it can be read.
pub(super) fn member<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Option<T>, D::Error> {
    Ok(Option::<Value>::deserialize(from)?.and_then(read))
}

/// The items of a list that can be read.
pub(super) fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::<Vec<Value>>::deserialize(from)?.into_iter().flatten().filter_map(read).collect())
}

/// The members of a map that can be read.
pub(super) fn map<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    from: D,
) -> Result<BTreeMap<String, T>, D::Error> {
    let all = Option::<BTreeMap<String, Value>>::deserialize(from)?;
    Ok(all.into_iter().flatten().filter_map(|(name, value)| Some((name, read(value)?))).collect())
}

fn read<T: DeserializeOwned>(value: Value) -> Option<T> {
    T::deserialize(value).inspect_err(|error| tracing::warn!(%error, "the NRF tells what cannot be read")).ok()
}
