use hyper::HeaderMap;
use hyper::header::ACCEPT;

/// How metrics are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Prometheus' text format 0.0.4, which everything reads.
    Text,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

impl Format {
    /// The format that a request prefers: OpenMetrics only where it is named (RFC 9110 12.5.1).
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let (mut open, mut text) = (0, 0);
        let ranges = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        for range in ranges.flat_map(|value| value.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default();
            let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(1000, thousandths);
            if kind.eq_ignore_ascii_case("application/openmetrics-text") {
                open = open.max(quality);
            } else if ["text/plain", "text/*", "*/*"].iter().any(|known| kind.eq_ignore_ascii_case(known)) {
                text = text.max(quality);
            }
        }
        if open > 0 && open >= text { Self::OpenMetrics } else { Self::Text }
    }

    /// The value of Content-Type.
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// Puts a page that is written as OpenMetrics into this format.
    pub(super) fn put(self, page: String) -> String {
        match self {
            Self::OpenMetrics => page,
            Self::Text => text(&page),
        }
    }
}

/// A quality value in thousandths; what is none counts as 0.
fn thousandths(text: &str) -> u32 {
    let quality = text.trim().parse::<f32>().unwrap_or(0.0);
    (quality.clamp(0.0, 1.0) * 1000.0) as u32
}

/// The same page in the text format: there a counter's suffix belongs to its name, an info is a gauge, and there
/// are no units and no end mark.
fn text(page: &str) -> String {
    let mut out = String::with_capacity(page.len());
    let mut help = None;
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split_once(' ');
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            let (suffix, kind) = match kind {
                "counter" => ("_total", kind),
                "info" => ("_info", "gauge"),
                _ => ("", kind),
            };
            if let Some((_, words)) = help.take() {
                put(&mut out, &["# HELP ", name, suffix, " ", words]);
            }
            put(&mut out, &["# TYPE ", name, suffix, " ", kind]);
        } else if !line.starts_with("# ") {
            put(&mut out, &[line]);
        }
    }
    out
}

fn put(out: &mut String, parts: &[&str]) {
    out.extend(parts.iter().copied());
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(accept: &[&str]) -> Format {
        let mut headers = HeaderMap::new();
        for value in accept {
            headers.append(ACCEPT, value.parse().unwrap());
        }
        Format::of(&headers)
    }

    #[test]
    fn what_prometheus_sends_is_understood() {
        // Prometheus 2.42, scrape/scrape.go's Accept.
        let prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;\
                          q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(of(&[prometheus]), Format::OpenMetrics);
        assert_eq!(of(&["text/plain;version=0.0.4;q=1,*/*;q=0.1"]), Format::Text);
    }

    #[test]
    fn others_get_text() {
        for accept in [
            &[][..],
            &["*/*"],
            &["text/html"],
            &["application/openmetrics-text;q=0"],
            &["application/openmetrics-text; q=0.2, text/*"],
            &["application/openmetrics-text;q=nonsense"],
        ] {
            assert_eq!(of(accept), Format::Text, "{accept:?}");
        }
        assert_eq!(of(&["text/plain;q=0.3", "Application/OpenMetrics-Text;q=0.4"]), Format::OpenMetrics);
    }
}
