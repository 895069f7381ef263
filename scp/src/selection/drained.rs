//! Producers that are to get nothing new, as who runs this SCP says.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::sync::Arc;

use crate::seldom::Seldom;

/// Producers that are drained, by NF instance or API root. Copies share them. What names one, as the URI or the binding of a
/// resource does, still goes there; what is only looking for somebody does where there is nobody else.
#[derive(Clone, Debug, Default)]
pub struct Drained {
    names: Arc<Seldom<BTreeSet<String>>>,
}

impl Drained {
    /// From now on an NF instance, or who is at an API root, gets nothing new; false: that was so before.
    pub fn insert(&self, name: String) -> bool {
        self.names.write().insert(name)
    }

    /// It does again; false: it did before.
    pub fn remove(&self, name: &str) -> bool {
        self.names.write().remove(name)
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> BTreeSet<String> {
        self.names.read().clone()
    }

    /// Whether one of these is drained; an API root is its text.
    #[must_use]
    pub fn any(&self, nf_instance: Option<&str>, api_root: impl Display) -> bool {
        let Some(names) = self.names.some() else { return false };
        // As a rule nobody is, and there is nothing to be written as text.
        !names.is_empty()
            && (nf_instance.is_some_and(|it| names.contains(it)) || names.contains(&*api_root.to_string()))
    }
}
