//! Types of NFs, as a request's User-Agent has them (TS 29.510 6.1.6.3.3, TS 29.500 5.2.2.2).

/// The type of NF that a User-Agent begins with. Some write it in small letters; what else does is a library's name.
pub(super) fn of_agent(kind: &str) -> Option<String> {
    let small = kind.bytes().any(|byte| byte.is_ascii_lowercase());
    (!small || KNOWN.split_ascii_whitespace().any(|it| it.eq_ignore_ascii_case(kind)))
        .then(|| kind.to_ascii_uppercase())
}

/// Whether there is such a type: those of a vendor, or of later releases, are not known.
pub(crate) fn is_known(kind: &str) -> bool {
    KNOWN.split_ascii_whitespace().any(|it| it == kind)
}

/// Those that there are.
const KNOWN: &str = "\
    5G_DDNMF 5G_EIR AANF ADRF AF AMF AUSF BSF CBCF CEF CHF DCCF DCSF DRA EASDF GBA_BSF GMLC HSS ICSCF \
    IMS_AS IP_SM_GW LMF MBSF MBSTF MB_SMF MB_UPF MF MFAF MME MNPF MRF MRFP N3IWF NEF NRF NSACF NSSAAF \
    NSSF NSWOF NWDAF PANF PCF PCSCF PKMF RH SCEF SCP SCSAS SCSCF SEPP SLPKMF SMF SMSF SMS_GMSC SMS_IWMSC \
    SMS_ROUTER SOR_AF SPAF TNGF TSCTSF TWIF UCMF UDM UDR UDSF UPF W_AGF";
