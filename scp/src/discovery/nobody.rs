//! Why a search found nobody, as a client is told: by the headers that it sent, not by the query that was made of them.

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::cause::Cause;
use crate::problem::Problem;

/// Why an NRF found nobody (TS 29.510 6.2.6.2.15).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nobody {
    /// As `TARGET_NF_SUSPENDED`.
    pub reason: String,
    /// Query parameters that nobody matches together.
    pub parameters: Vec<String>,
}

impl Nobody {
    /// Reads NoProfileMatchInfo.
    pub(super) fn read(info: &Value) -> Self {
        let text = |of: &Value, name: &str| of.get(name)?.as_str().map(str::to_owned);
        let listed = |of: &Value, name: &str| of.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        let combinations = listed(info, "queryParamCombinationList");
        let parameters = combinations.iter().flat_map(|it| listed(it, "queryParams"));
        Self {
            reason: text(info, "reason").unwrap_or_default(),
            parameters: parameters.filter_map(|it| text(&it, "name")).collect(),
        }
    }

    /// What the client is told.
    #[must_use]
    pub fn problem(&self, why: &'static str) -> Problem {
        let problem = Problem::new(Cause::NfDiscoveryFailure).detail(match &*self.reason {
            "" => why.to_owned(),
            reason => format!("{why}: {reason}"),
        });
        let name = |problem: Problem, parameter: &String| problem.about(header(parameter), "nobody matches it");
        self.parameters.iter().fold(problem, name)
    }
}

/// What a client is told whose search an NRF refuses: where that is about query parameters, about the headers that they were
/// made of.
#[must_use]
pub fn refused(status: StatusCode, content: &[u8]) -> Option<Problem> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Details {
        cause: String,
        invalid_params: Vec<Param>,
    }
    #[derive(Deserialize)]
    struct Param {
        param: String,
        #[serde(default)]
        reason: String,
    }
    let details: Details = serde_json::from_slice(content).ok().filter(|_| status == StatusCode::BAD_REQUEST)?;
    if !details.cause.contains("QUERY_PARAM") || details.invalid_params.is_empty() {
        return None;
    }
    let problem = Problem::new(Cause::InvalidDiscoveryParam).detail("the NRF refuses a discovery factor");
    let name = |problem: Problem, Param { param, reason }: Param| {
        let parameter = param.trim().strip_prefix("query").map_or(param.as_str(), str::trim_start);
        problem.about(header(parameter), reason)
    };
    Some(details.invalid_params.into_iter().fold(problem, name))
}

fn header(parameter: &str) -> String {
    format!("header 3gpp-Sbi-Discovery-{parameter}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(problem: &Problem) -> Vec<(&str, &str)> {
        problem.invalid_params.iter().map(|it| (&*it.param, &*it.reason)).collect()
    }

    #[test]
    fn d1_headers_are_named_for_parameters() {
        let param = |name: &str| json!({"name": name, "value": "x"});
        let info = json!({"reason": "QUERY_PARAMS_COMBINATION_NO_MATCH", "queryParamCombinationList": [
            {"queryParams": [param("dnn"), param("snssais")]}, {"queryParams": [param("supi")]}, 5]});
        let problem = Nobody::read(&info).problem("nobody");
        assert_eq!(problem.detail, "nobody: QUERY_PARAMS_COMBINATION_NO_MATCH");
        let [dnn, snssais, supi] = ["dnn", "snssais", "supi"].map(header);
        let all = [dnn, snssais, supi].map(|it| it.leak() as &str).map(|it| (it, "nobody matches it"));
        assert_eq!(told(&problem), all);
        assert_eq!(Nobody::read(&json!("x")).problem("nobody").detail, "nobody");
    }

    #[test]
    fn d1_what_an_nrf_refuses() {
        let of = |status: u16, cause: &str, params: Value| {
            let content = json!({"cause": cause, "invalidParams": params}).to_string();
            refused(StatusCode::from_u16(status).unwrap(), content.as_bytes())
        };
        let params = json!([{"param": "query snssais", "reason": "no"}, {"param": "dnn"}]);
        let problem = of(400, "OPTIONAL_QUERY_PARAM_INCORRECT", params.clone()).unwrap();
        assert_eq!(problem.cause, Cause::InvalidDiscoveryParam);
        let expected = [("header 3gpp-Sbi-Discovery-snssais", "no"), ("header 3gpp-Sbi-Discovery-dnn", "")];
        assert_eq!(told(&problem), expected);
        assert_eq!(of(400, "UNSPECIFIED_MSG_FAILURE", params.clone()), None);
        assert_eq!(of(403, "INVALID_QUERY_PARAM", params), None);
        assert_eq!(of(400, "INVALID_QUERY_PARAM", json!([])), None);
        assert_eq!(refused(StatusCode::BAD_REQUEST, b"x"), None);
    }
}
