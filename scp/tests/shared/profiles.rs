//! Profiles that an NRF knows.

use serde_json::{Value, json};

/// NF instances of producers.
pub(crate) const ONE: &str = "54804518-4191-46b3-955c-ac631f953ed1";
pub(crate) const TWO: &str = "54804518-4191-46b3-955c-ac631f953ed2";
/// This SCP's own.
pub(crate) const OWN: &str = "54804518-4191-46b3-955c-ac631f953ed9";

/// A UDM that serves nudm-sdm at a port of 127.0.0.1.
pub(crate) fn udm(instance: &str, port: u16) -> Value {
    json!({
        "nfInstanceId": instance, "nfType": "UDM", "nfStatus": "REGISTERED",
        "nfSetIdList": ["set1.udmset.5gc.mnc012.mcc345"],
        "nfServices": [{
            "serviceInstanceId": "sdm-1", "serviceName": "nudm-sdm", "scheme": "http", "nfServiceStatus": "REGISTERED",
            "versions": [{"apiVersionInUri": "v2", "apiFullVersion": "2.1.0"}],
            "ipEndPoints": [{"ipv4Address": "127.0.0.1", "port": port}],
            "supportedFeatures": "5"
        }]
    })
}
