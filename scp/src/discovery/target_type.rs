//! Which type of NF serves an API, by the API's name (TS 29.501 4.4.1, TS 29.510 6.1.6.3.3).

/// The type of the NFs that serve an API; none where the name is not one of an NF's.
pub(crate) fn of_service(service: &str) -> Option<String> {
    let rest = service.strip_prefix('n')?;
    if rest.starts_with("5g-eir") {
        return Some("5G_EIR".to_owned());
    }
    let name = rest.split('-').next().filter(|name| !name.is_empty() && name.len() < rest.len())?;
    name.bytes().all(|byte| byte.is_ascii_alphanumeric()).then(|| name.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_by_names_of_apis() {
        for (service, kind) in [
            ("nudm-sdm", Some("UDM")),
            ("namf-comm", Some("AMF")),
            ("nsmf-pdusession", Some("SMF")),
            ("n5g-eir-eic", Some("5G_EIR")),
            ("npcf-am-policy-control", Some("PCF")),
            ("udm", None),
            ("nothing", None),
            ("n-x", None),
        ] {
            assert_eq!(of_service(service).as_deref(), kind, "{service}");
        }
    }
}
