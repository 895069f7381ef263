//! Which type of NF serves an API, by the API's name (TS 29.501 4.4.1, TS 29.510 6.1.6.3.3).

/// The type of the NFs that serve an API; none where the name is not one of an NF's.
pub(crate) fn of_service(service: &str) -> Option<String> {
    let rest = service.strip_prefix('n')?;
    if let Some((_, kind)) = OTHERWISE.iter().find(|(name, _)| rest.starts_with(name)) {
        return Some((*kind).to_owned());
    }
    let name = rest.split('-').next().filter(|name| !name.is_empty() && name.len() < rest.len())?;
    name.bytes().all(|byte| byte.is_ascii_alphanumeric()).then(|| name.to_ascii_uppercase())
}

/// How APIs begin, after the `n`, that say the type of their NFs otherwise than it is written.
const OTHERWISE: [(&str, &str); 7] = [
    ("5g-eir-", "5G_EIR"),
    ("5gddnmf-", "5G_DDNMF"),
    ("5g-ddnmf-", "5G_DDNMF"),
    ("mbsmf-", "MB_SMF"),
    ("soraf-", "SOR_AF"),
    ("bsp-", "GBA_BSF"),
    ("iwmsc-", "SMS_IWMSC"),
];

/// The type of the NFs of a set: `set1.udmset.5gc...` (TS 23.003 28.12), `set1-region48.amfset.5gc...`.
pub(crate) fn of_set(set: &str) -> Option<String> {
    let name = set.split('.').nth(1)?.strip_suffix("set").filter(|name| !name.is_empty())?;
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_').then(|| name.to_ascii_uppercase())
}

/// The type of the NFs that a service set is of: `set1.snnudm-sdm.nfi<id>.5gc...` (TS 23.003 28.13).
pub(crate) fn of_service_set(set: &str) -> Option<String> {
    of_service(set.split('.').nth(1)?.strip_prefix("sn")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sets as TS 29.500 5.2.3.2.5 writes them.
    #[test]
    fn types_by_names_of_sets() {
        assert_eq!(of_set("set1.smfset.5gc.mnc012.mcc345").as_deref(), Some("SMF"));
        assert_eq!(of_set("set1-region48.amfset.5gc.mnc012.mcc345").as_deref(), Some("AMF"));
        let service_set = "setxyz.snnsmf-pdusession.nfi54804518-4191-46b3-955c-ac631f953ed8.5gc.mnc012.mcc345";
        assert_eq!(of_service_set(service_set).as_deref(), Some("SMF"));
        assert_eq!((of_set("set1"), of_set("set1.set"), of_service_set("set1.smfset")), (None, None, None));
    }

    #[test]
    fn types_by_names_of_apis() {
        for (service, kind) in [
            ("nudm-sdm", Some("UDM")),
            ("namf-comm", Some("AMF")),
            ("nsmf-pdusession", Some("SMF")),
            ("n5g-eir-eic", Some("5G_EIR")),
            ("npcf-am-policy-control", Some("PCF")),
            ("n5gddnmf-discovery", Some("5G_DDNMF")),
            ("nmbsmf-tmgi", Some("MB_SMF")),
            ("nsoraf-sor", Some("SOR_AF")),
            ("nspaf-secured-packet", Some("SPAF")),
            ("nbsp-gba", Some("GBA_BSF")),
            ("niwmsc-smservice", Some("SMS_IWMSC")),
            ("udm", None),
            ("nothing", None),
            ("n-x", None),
        ] {
            assert_eq!(of_service(service).as_deref(), kind, "{service}");
        }
    }
}
