//! What a client says of whom it looks for: 3gpp-Sbi-Discovery-* and the path of its request (TS 29.500 6.10.3.2, 6.10.5.1).

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, header};
use pinion_protocols::sbi::{
    BindingParameter, Callback, Factor, FactorKind, NrfUri, RoutingBinding, UserAgent, Value as _,
};

use super::candidates::Notification;
use super::{canonical, nf_type, parameter, target_type};
use crate::api_root::{ApiRoot, ApiRootError};
use crate::call::Call;
use crate::cause::Cause;
use crate::failure::Failure;
use crate::names;
use crate::problem::Problem;

/// An API's name and version, as paths begin with them: `/nudm-sdm/v2/...`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Api<'a> {
    /// As `nudm-sdm`.
    pub name: &'a str,
    /// As `v2`.
    pub version: &'a str,
}

/// The factors of one search, in one writing whatever order and spaces they came in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Factors {
    /// Query parameters and their values, by name.
    pairs: Vec<(String, String)>,
    /// Whether it is for a callback: its path is not that of an API.
    callback: bool,
    /// Major version of a callback's API.
    callback_version: u32,
    /// The API of the request's path.
    api: Option<(String, String)>,
    /// Whether nothing says of which type the requester is.
    untyped: bool,
    /// What the search is remembered by: the NRF that the client names, and all of the query.
    key: Key,
}

/// What a search is remembered by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Key {
    /// The NRF that the client named; none: those that are configured.
    pub nrf: Option<ApiRoot>,
    /// All of the query.
    pub query: Arc<str>,
}

impl Key {
    /// How long it is: clients say that, within the bounds of headers.
    pub(super) fn octets(&self) -> usize {
        let nrf = self.nrf.as_ref().map_or(0, |it| it.authority.as_str().len().saturating_add(it.prefix().len()));
        self.query.len().saturating_add(nrf)
    }
}

impl<'a> Api<'a> {
    /// Of a path below an API root; none where it does not begin so.
    #[must_use]
    pub fn of(path: &'a str) -> Option<Self> {
        let segment = |text: &'a str| {
            let end = text.bytes().position(|it| it == b'/' || it == b'?').unwrap_or(text.len());
            text.split_at_checked(end)
        };
        let (name, rest) = segment(path.strip_prefix('/')?)?;
        let (version, _) = segment(rest.get(1..)?)?;
        let digits = version.strip_prefix(['v', 'V'])?;
        let numbered = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        (numbered && !name.is_empty()).then_some(Self { name, version })
    }
}

impl Factors {
    /// Reads the headers of a request whose path is below its API root. `more` are factors that replace those of headers;
    /// `requester` is the type of an NF that does not say its own. `named` says whether the client may name the NRF.
    ///
    /// # Errors
    /// A header is not what it should be, or nothing tells what type of NF is looked for.
    pub fn read(
        headers: &HeaderMap,
        path: &str,
        more: &[(&'static str, String)],
        requester: &str,
        named: bool,
    ) -> Result<Self, Failure> {
        let mut factors = Self::default();
        for name in headers.keys() {
            let Some(parameter) = Factor::parameter(name.as_str()) else { continue };
            // Whoever else is in a set is looked for instead of the one that was meant first.
            let replaced = more.iter().any(|(name, _)| {
                *name == parameter
                    || (parameter == parameter::INSTANCE
                        && matches!(*name, parameter::SET | parameter::SERVICE_SET))
            });
            if !replaced {
                let value = joined(headers, name, FactorKind::of(parameter));
                factors.take(parameter, &value)?;
            }
        }
        for (parameter, value) in more {
            factors.take(parameter, value.as_bytes())?;
        }
        factors.read_callback(headers)?;
        factors.read_nrf(headers, named)?;
        if !factors.callback {
            factors.api = Api::of(path).map(|api| (api.name.to_owned(), api.version.to_ascii_lowercase()));
        }
        factors.complete(headers, requester)?;
        factors.pairs.sort();
        factors.key.query = factors.query().into();
        Ok(factors)
    }

    /// What the headers of a call say, which is the same for all of its kind; `more` as in [`Factors::read`].
    ///
    /// # Errors
    /// As [`Factors::read`].
    pub fn of(call: &Call, more: &[(&'static str, String)]) -> Result<Arc<Self>, Failure> {
        let path = call.request.uri().path();
        let slot = &call.context.factors;
        // A call that was redirected may be for another API than it was.
        let common = more.is_empty() && call.context.has_api_of(path);
        if let Some(factors) = slot.get().filter(|_| common) {
            return Ok(Arc::clone(factors));
        }
        let settings = &call.prepared().settings;
        let named = settings.nrf.as_ref().is_none_or(|nrf| nrf.named);
        let read = Self::read(call.headers(), path, more, &settings.discovery.requester, named).map(Arc::new)?;
        Ok(if common { Arc::clone(slot.get_or_init(|| read)) } else { read })
    }

    fn take(&mut self, parameter: &str, value: &[u8]) -> Result<(), Failure> {
        let wrong = |reason: String| {
            let header = format!("header 3gpp-Sbi-Discovery-{parameter}");
            Problem::new(Cause::InvalidDiscoveryParam)
                .detail("a discovery factor cannot be read")
                .about(header, reason)
        };
        let factor = Factor::parse(parameter, value).map_err(|error| wrong(error.to_string()))?;
        let value = match factor.kind() {
            // Some write a list as JSON has it.
            FactorKind::List => match serde_json::from_str::<Vec<String>>(factor.value) {
                Ok(words) => words.join(","),
                Err(_) => factor.words().collect::<Vec<_>>().join(","),
            },
            FactorKind::Json => {
                let text = factor.json().ok_or_else(|| wrong("it is no percent-encoding".to_owned()))?;
                canonical::json(&text).ok_or_else(|| wrong("it is no JSON".to_owned()))?
            }
            FactorKind::Text | FactorKind::Flag | FactorKind::Number => factor.value.to_owned(),
        };
        self.pairs.push((parameter.to_ascii_lowercase(), value));
        Ok(())
    }

    fn read_callback(&mut self, headers: &HeaderMap) -> Result<(), Failure> {
        let Some(value) = headers.get(names::CALLBACK) else { return Ok(()) };
        let callback =
            Callback::parse(value.as_bytes()).map_err(|error| Problem::header(Callback::HEADER, error))?;
        self.callback = true;
        self.callback_version = callback.api_version.unwrap_or(1);
        Ok(())
    }

    fn read_nrf(&mut self, headers: &HeaderMap, named: bool) -> Result<(), Failure> {
        let Some(value) = headers.get(names::NRF_URI).filter(|_| named) else { return Ok(()) };
        let uris = NrfUri::parse(value.as_bytes()).map_err(|error| Problem::header(NrfUri::HEADER, error))?;
        if let Some(uri) = uris.discovery {
            self.key.nrf = Some(nrf_root(uri).map_err(|error| Problem::header(NrfUri::HEADER, error))?);
        }
        Ok(())
    }

    /// Adds what the NRF must be told and what follows from the rest.
    fn complete(&mut self, headers: &HeaderMap, requester: &str) -> Result<(), Failure> {
        if self.get(parameter::SERVICES).is_none()
            && let Some((name, _)) = &self.api
        {
            self.pairs.push((parameter::SERVICES.to_owned(), name.clone()));
        }
        if self.get(parameter::REQUESTER_TYPE).is_none() {
            let agent = headers.get(header::USER_AGENT).and_then(|it| UserAgent::parse(it.as_bytes()).ok());
            let kind = agent.and_then(|it| nf_type::of_agent(it.kind));
            self.untyped = kind.is_none();
            let kind = kind.unwrap_or_else(|| requester.to_owned());
            self.pairs.push((parameter::REQUESTER_TYPE.to_owned(), kind));
        }
        if self.get(parameter::TARGET_TYPE).is_none() {
            let kind = self.implied_type(headers).ok_or_else(|| {
                let header = "header 3gpp-Sbi-Discovery-target-nf-type";
                Problem::new(Cause::MandatoryIeMissing)
                    .detail("nothing tells what type of NF is looked for")
                    .about(header, "neither this header nor the name of an API is there")
            })?;
            self.pairs.push((parameter::TARGET_TYPE.to_owned(), kind));
        }
        Ok(())
    }

    /// The type of NF that a service or a set is of, where one is named.
    fn implied_type(&self, headers: &HeaderMap) -> Option<String> {
        let by_set = || self.get(parameter::SET).and_then(target_type::of_set);
        let by_service_set = || self.get(parameter::SERVICE_SET).and_then(target_type::of_service_set);
        let by_binding = || {
            let binding = RoutingBinding::parse(headers.get(names::ROUTING_BINDING)?.as_bytes()).ok()?.0;
            let set = binding.get(BindingParameter::NfSet).and_then(target_type::of_set);
            set.or_else(|| binding.get(BindingParameter::ServiceSet).and_then(target_type::of_service_set))
        };
        let by_service = self.service().and_then(target_type::of_service);
        by_service.or_else(by_set).or_else(by_service_set).or_else(by_binding)
    }

    /// The value of a query parameter.
    #[must_use]
    pub fn get(&self, parameter: &str) -> Option<&str> {
        self.pairs.iter().find(|(name, _)| name == parameter).map(|(_, value)| value.as_str())
    }

    /// The service that the request is for: the first that is named (TS 29.500 6.10.3.2).
    #[must_use]
    pub fn service(&self) -> Option<&str> {
        self.get(parameter::SERVICES).and_then(|names| names.split(',').next())
    }

    /// The version of the API in the request's path, as `v2`; none for callbacks.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.api.as_ref().map(|(_, version)| version.as_str())
    }

    /// The features that a producer must have: of those named, the first are of the first service.
    #[must_use]
    pub fn required_features(&self) -> &str {
        self.get("required-features").and_then(|all| all.split(',').next()).unwrap_or_default()
    }

    /// The type of NF that is looked for.
    #[must_use]
    pub fn target_type(&self) -> &str {
        self.get(parameter::TARGET_TYPE).unwrap_or_default()
    }

    /// Whether nothing says of which type the requester is, so that one was put in its place.
    #[must_use]
    pub fn is_untyped(&self) -> bool {
        self.untyped
    }

    /// Whether it is for a callback.
    #[must_use]
    pub fn is_callback(&self) -> bool {
        self.callback
    }

    /// The notification that looks for a receiver by default.
    #[must_use]
    pub fn notification(&self) -> Option<Notification<'_>> {
        Some(Notification {
            kind: self.get("notification-type")?,
            n1: self.get("n1-msg-class"),
            n2: self.get("n2-info-class"),
            version: self.callback_version,
        })
    }

    /// What it is remembered by.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.key
    }

    fn query(&self) -> String {
        let mut query = String::with_capacity(256);
        for (name, value) in &self.pairs {
            if !query.is_empty() {
                query.push('&');
            }
            canonical::encode(name, false, &mut query);
            query.push('=');
            canonical::encode(value, FactorKind::of(name) == FactorKind::List, &mut query);
        }
        query
    }
}

/// The API root of an NRF, of the URI of its discovery.
pub(super) fn nrf_root(uri: &str) -> Result<ApiRoot, ApiRootError> {
    let own = uri.trim_end_matches('/');
    ApiRoot::parse(own.strip_suffix("/nnrf-disc/v1").unwrap_or(own))
}

/// All lines of a header whose value is a list, the first of another.
fn joined(headers: &HeaderMap, name: &header::HeaderName, kind: FactorKind) -> Vec<u8> {
    let lines = headers.get_all(name).iter().map(HeaderValue::as_bytes);
    if kind == FactorKind::List {
        lines.collect::<Vec<_>>().join(&b","[..])
    } else {
        lines.into_iter().next().unwrap_or_default().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    fn read(path: &str, pairs: &[(&'static str, &'static str)]) -> Factors {
        Factors::read(&headers(pairs), path, &[], "SCP", true).unwrap()
    }

    fn refused(path: &str, pairs: &[(&'static str, &'static str)]) -> (Cause, String) {
        match Factors::read(&headers(pairs), path, &[], "SCP", true).unwrap_err() {
            Failure::Problem(problem) => (problem.cause, problem.invalid_params[0].param.to_string()),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn d1_every_factor_goes_to_the_nrf() {
        let factors = read(
            "/nudm-sdm/v2/imsi-1/nssai",
            &[
                ("3gpp-sbi-discovery-target-nf-type", "UDM"),
                ("3gpp-sbi-discovery-requester-nf-type", "AMF"),
                ("3gpp-sbi-discovery-service-names", "nudm-sdm,nudm-uecm"),
                ("3gpp-sbi-discovery-snssais", "[{\"sst\": 1, \"sd\": \"A08923\"}]"),
                ("3gpp-sbi-discovery-of-a-later-release", "a b/c"),
                ("x-other", "y"),
            ],
        );
        assert_eq!(factors.service(), Some("nudm-sdm"));
        assert_eq!(
            &*factors.key().query,
            "of-a-later-release=a%20b%2Fc&requester-nf-type=AMF&service-names=nudm-sdm,nudm-uecm&\
             snssais=%5B%7B%22sd%22%3A%22A08923%22%2C%22sst%22%3A1%7D%5D&target-nf-type=UDM"
        );
    }

    #[test]
    fn d1_the_nrf_that_the_client_names() {
        let named = [("3gpp-sbi-nrf-uri", "nnrf-disc: \"https://nrf1.operator.com/x/nnrf-disc/v1/\"")];
        let factors = read("/nudm-sdm/v2/a", &named);
        assert_eq!(factors.key().nrf, Some(ApiRoot::parse("https://nrf1.operator.com/x").unwrap()));
        let factors = Factors::read(&headers(&named), "/nudm-sdm/v2/a", &[], "SCP", false).unwrap();
        assert_eq!(factors.key().nrf, None);
        let wrong = refused("/nudm-sdm/v2/a", &[("3gpp-sbi-nrf-uri", "nnrf-disc: x")]);
        assert_eq!(wrong, (Cause::OptionalIeIncorrect, "header 3gpp-Sbi-Nrf-Uri".to_owned()));
    }

    #[test]
    fn d4_what_may_be_absent_is_found_elsewhere() {
        let set = ("3gpp-sbi-discovery-target-nf-set-id", "set1.udmset.5gc.mnc012.mcc345");
        let query = |agent: Option<&'static str>| {
            let mut pairs = vec![set];
            pairs.extend(agent.map(|agent| ("user-agent", agent)));
            read("/nudm-sdm/v2/a", &pairs).key().query.to_string()
        };
        let with = |requester| {
            format!(
                "requester-nf-type={requester}&service-names=nudm-sdm&\
                 target-nf-set-id=set1.udmset.5gc.mnc012.mcc345&target-nf-type=UDM"
            )
        };
        assert_eq!(query(None), with("SCP"));
        assert_eq!(query(Some("AMF-54804518 amf1.example")), with("AMF"));
        assert_eq!(query(Some("amf-1")), with("AMF"));
        assert_eq!(query(Some("5g_eir")), with("5G_EIR"));
        assert_eq!(query(Some("LATER-1")), with("LATER"));
        for library in ["curl/8.0", "Go-http-client/2.0", "python-httpx"] {
            assert_eq!(query(Some(library)), with("SCP"));
        }
        let callback = [
            ("3gpp-sbi-callback", "X"),
            ("3gpp-sbi-routing-binding", "bl=nf-set; nfset=set1.smfset.5gc.mnc012.mcc345"),
        ];
        assert_eq!(read("/notify", &callback).target_type(), "SMF");
        assert_eq!(read("/", &[set]).target_type(), "UDM");
        let missing = refused("/", &[("3gpp-sbi-discovery-dnn", "x")]);
        assert_eq!(missing, (Cause::MandatoryIeMissing, "header 3gpp-Sbi-Discovery-target-nf-type".to_owned()));
    }

    #[test]
    fn d5_order_and_spaces_make_no_other_search() {
        let a = read(
            "/namf-comm/v1/x",
            &[("3gpp-sbi-discovery-guami", "{\"a\":1,\"b\":[ ]}"), ("3gpp-sbi-discovery-limit", "3")],
        );
        let b = read(
            "/namf-comm/v1/y",
            &[("3gpp-sbi-discovery-limit", "3"), ("3gpp-sbi-discovery-guami", "{ \"b\":[],\"a\":1 }")],
        );
        assert_eq!(a.key(), b.key());
        let c = read(
            "/namf-comm/v1/y",
            &[("3gpp-sbi-discovery-limit", "4"), ("3gpp-sbi-discovery-guami", "{ \"b\":[],\"a\":1 }")],
        );
        assert_ne!(a.key(), c.key());
        let names = |value| read("/", &[("3gpp-sbi-discovery-service-names", value)]);
        assert_eq!(names("nudm-sdm, nudm-uecm").key(), names("[\"nudm-sdm\",\"nudm-uecm\"]").key());
    }

    #[test]
    fn d1_a_factor_that_cannot_be_read_is_named() {
        let header = "3gpp-sbi-discovery-snssais";
        let wrong = refused("/nudm-sdm/v2/a", &[(header, "[{")]);
        assert_eq!(wrong, (Cause::InvalidDiscoveryParam, "header 3gpp-Sbi-Discovery-snssais".to_owned()));
    }

    #[test]
    fn r2_notifications_look_for_receivers() {
        let factors = read(
            "/scp-default-sub-notify-uri",
            &[
                ("3gpp-sbi-callback", "Namf_Communication_N1MessageNotify; apiversion=2"),
                ("3gpp-sbi-discovery-notification-type", "N1_MESSAGE"),
                ("3gpp-sbi-discovery-n1-msg-class", "LPP"),
                ("3gpp-sbi-discovery-target-nf-type", "LMF"),
            ],
        );
        let notification = factors.notification().unwrap();
        assert_eq!((notification.kind, notification.n1, notification.version), ("N1_MESSAGE", Some("LPP"), 2));
        assert_eq!((factors.version(), factors.is_callback()), (None, true));
    }

    #[test]
    fn d2_names_and_versions_of_apis() {
        assert_eq!(Api::of("/nudm-sdm/v2/a?b=c"), Some(Api { name: "nudm-sdm", version: "v2" }));
        assert_eq!(Api::of("/nudm-sdm/v10"), Some(Api { name: "nudm-sdm", version: "v10" }));
        for none in ["", "/", "/nudm-sdm", "/nudm-sdm/vx/a", "/nudm-sdm/v/a", "//v1", "nudm-sdm/v1"] {
            assert_eq!(Api::of(none), None, "{none}");
        }
    }

    #[test]
    fn no_header_is_too_strange() {
        bolero::check!().with_type::<Vec<(u8, Vec<u8>)>>().for_each(|pairs| {
            let mut headers = HeaderMap::new();
            const NAMES: [&str; 8] = [
                "3gpp-sbi-discovery-target-nf-type",
                "3gpp-sbi-discovery-service-names",
                "3gpp-sbi-discovery-snssais",
                "3gpp-sbi-discovery-limit",
                "3gpp-sbi-routing-binding",
                "3gpp-sbi-callback",
                "3gpp-sbi-nrf-uri",
                "user-agent",
            ];
            for (name, value) in pairs {
                if let Ok(value) = HeaderValue::from_bytes(value) {
                    headers.append(NAMES[usize::from(*name) % NAMES.len()], value);
                }
            }
            if let Ok(factors) = Factors::read(&headers, "/nudm-sdm/v2/a", &[], "SCP", true) {
                assert!(factors.key().query.is_ascii());
            }
        });
    }
}
