//! Subscriptions to changes of NF instances, by their type (TS 29.510 5.2.2.5, 6.1.6.2.16).

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::Notify;

use crate::discovery::is_known_type;

/// The types of NF of which changes are to be told: those that were searched for. Copies share it.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    types: Mutex<Types>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Types {
    /// Of those that TS 29.510 knows.
    known: BTreeSet<String>,
    /// Others, the one that was asked for last at the end: clients may make them up.
    others: VecDeque<String>,
}

/// Types that TS 29.510 does not know and that can be wanted.
const OTHERS: usize = 32;

impl Wanted {
    /// Wants to be told of a type; of one that is not known, until so many others were asked for since.
    pub fn want(&self, nf_type: &str) {
        if self.lock().want(nf_type) {
            self.shared.changed.notify_one();
        }
    }

    /// All that are wanted.
    #[must_use]
    pub fn types(&self) -> BTreeSet<String> {
        let types = self.lock();
        types.known.iter().chain(&types.others).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Types> {
        self.shared.types.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until another is wanted.
    pub async fn changed(&self) {
        self.shared.changed.notified().await;
    }
}

impl Types {
    /// Whether that is new.
    fn want(&mut self, nf_type: &str) -> bool {
        if is_known_type(nf_type) {
            return !self.known.contains(nf_type) && self.known.insert(nf_type.to_owned());
        }
        let before = self.others.iter().position(|it| it == nf_type).and_then(|at| self.others.remove(at));
        let new = before.is_none();
        if new && self.others.len() >= OTHERS {
            self.others.pop_front();
        }
        self.others.push_back(before.unwrap_or_else(|| nf_type.to_owned()));
        new
    }
}

/// A subscription, as it is asked for and as it is granted (TS 29.510 6.1.6.2.16).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionData {
    /// Where notifications go.
    pub nf_status_notification_uri: String,
    /// Which NF instances: those of a type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscr_cond: Option<Value>,
    /// Its identity, which the NRF gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription_id: Option<String>,
    /// When it ends (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validity_time: Option<String>,
    /// Type of the subscriber.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub req_nf_type: Option<String>,
    /// NF instance of the subscriber.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub req_nf_instance_id: Option<String>,
    /// Members that are not read.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

/// A notification of a change (TS 29.510 6.1.6.2.17).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotificationData {
    /// `NF_REGISTERED`, `NF_DEREGISTERED` or `NF_PROFILE_CHANGED`.
    pub event: String,
    /// Whose, a URI that ends with the NF instance.
    pub nf_instance_uri: String,
    /// Its profile, where it is new or told whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nf_profile: Option<Value>,
    /// Members that are not read: they say what changed, and what is searched for again has it.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

/// How much of a capacity is in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// Of which service instance; none: of all of its NF instance.
    pub service_instance: Option<String>,
    /// In percent.
    pub percent: u8,
}

impl NotificationData {
    /// Whose change it is.
    #[must_use]
    pub fn nf_instance(&self) -> &str {
        self.nf_instance_uri.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
    }

    /// The loads that it tells of, where it tells of nothing else.
    #[must_use]
    pub fn loads(&self) -> Option<Vec<Loaded>> {
        if self.event != "NF_PROFILE_CHANGED" || self.nf_profile.is_some() {
            return None;
        }
        let changes = self.others.get("profileChanges")?.as_array().filter(|changes| !changes.is_empty())?;
        let mut loads = Vec::new();
        for change in changes {
            let path: Vec<&str> = change.get("path")?.as_str()?.split('/').collect();
            let value =
                || change.get("newValue")?.as_u64().and_then(|it| u8::try_from(it).ok()).filter(|it| *it <= 100);
            match path.as_slice() {
                ["", "load"] => loads.push(Loaded { service_instance: None, percent: value()? }),
                ["", "nfServiceList", id, "load"] => {
                    loads.push(Loaded { service_instance: Some((*id).to_owned()), percent: value()? });
                }
                // Of which service instance it is, its place in a list does not say.
                ["", "loadTimeStamp" | "lcHSupportInd"] | ["", "nfServices", _, "load"] => {}
                _ => return None,
            }
        }
        Some(loads)
    }

    /// Whether it is to be chosen no more.
    #[must_use]
    pub fn gone(&self) -> bool {
        let whole = self.nf_profile.as_ref().and_then(|profile| profile.get("nfStatus"));
        let changes = self.others.get("profileChanges").and_then(Value::as_array).into_iter().flatten();
        let changed = changes.filter(|it| it.get("path").is_some_and(|path| path == "/nfStatus"));
        let mut told =
            whole.into_iter().chain(changed.filter_map(|it| it.get("newValue"))).filter_map(Value::as_str);
        self.event == "NF_DEREGISTERED" || told.any(|status| status != super::profile::REGISTERED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d5_who_is_asked_for_keeps_a_place() {
        let wanted = Wanted::default();
        for number in 0..2 * OTHERS {
            wanted.want("VENDORS_OWN");
            wanted.want(&number.to_string());
        }
        wanted.want("UDM");
        let types = wanted.types();
        assert_eq!(types.len(), OTHERS + 1);
        assert!(types.contains("UDM") && types.contains("VENDORS_OWN") && !types.contains("0"), "{types:?}");
    }

    #[test]
    fn d5_what_a_notification_is_about() {
        let read = |text: &str| serde_json::from_str::<NotificationData>(text).unwrap();
        let gone =
            read(r#"{"event":"NF_DEREGISTERED","nfInstanceUri":"http://nrf/nnrf-nfm/v1/nf-instances/4947a69a"}"#);
        assert_eq!((gone.nf_instance(), gone.gone()), ("4947a69a", true));
        let there = read(
            r#"{"event":"NF_REGISTERED","nfInstanceUri":"/nf-instances/4947a69a/","nfProfile":{"nfType":"UDM","nfStatus":"REGISTERED"}}"#,
        );
        assert_eq!((there.nf_instance(), there.gone()), ("4947a69a", false));
        let suspended = read(
            r#"{"event":"NF_PROFILE_CHANGED","nfInstanceUri":"a/b","nfProfile":{"nfStatus":"SUSPENDED"},"profileChanges":[]}"#,
        );
        assert!(suspended.gone() && suspended.others.contains_key("profileChanges"));
        let changed = |status: &str| {
            read(&format!(
                r#"{{"event":"NF_PROFILE_CHANGED","nfInstanceUri":"a/b",
                "profileChanges":[{{"op":"REPLACE","path":"/nfStatus","newValue":"{status}"}}]}}"#
            ))
        };
        assert!(changed("SUSPENDED").gone() && !changed("REGISTERED").gone());
    }

    #[test]
    fn d6_changes_of_load_alone() {
        let loads = |changes: &str| {
            let text =
                format!(r#"{{"event":"NF_PROFILE_CHANGED","nfInstanceUri":"a/b","profileChanges":{changes}}}"#);
            serde_json::from_str::<NotificationData>(&text).unwrap().loads()
        };
        let loaded = |id: Option<&str>, percent| Loaded { service_instance: id.map(str::to_owned), percent };
        let both = r#"[{"op":"REPLACE","path":"/load","newValue":7},{"op":"REPLACE","path":"/nfServiceList/1/load","newValue":9}]"#;
        assert_eq!(loads(both), Some(vec![loaded(None, 7), loaded(Some("1"), 9)]));
        assert_eq!(loads(r#"[{"op":"REPLACE","path":"/nfServices/0/load","newValue":7}]"#), Some(Vec::new()));
        for other in [
            "[]",
            r#"[{"op":"REPLACE","path":"/load","newValue":7},{"op":"REPLACE","path":"/fqdn","newValue":"x"}]"#,
            r#"[{"op":"REPLACE","path":"/load","newValue":700}]"#,
            r#"[{"op":"REMOVE","path":"/load"}]"#,
        ] {
            assert_eq!(loads(other), None, "{other}");
        }
    }
}
