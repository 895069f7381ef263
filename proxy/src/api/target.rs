//! Where a daemon is asked.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where a daemon is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// On a unix socket.
    Unix(PathBuf),
    /// On TCP, with mutual TLS.
    Tls {
        /// A name or an address, IPv6 without brackets.
        host: String,
        /// Its port.
        port: u16,
    },
}

/// Why text is no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It begins with neither of the two.
    #[error("give unix:PATH or https://HOST:PORT")]
    Scheme,
    /// It would go over the wire in the clear.
    #[error("the API is on TCP with TLS only; give https://HOST:PORT")]
    Clear,
    /// There is no path.
    #[error("there is no path; give one, such as unix:/run/pinion/api.sock")]
    Path,
    /// There is no port.
    #[error("there is no port; give https://HOST:PORT")]
    Port,
    /// There is no host.
    #[error("there is no host; give https://HOST:PORT, IPv6 addresses in brackets")]
    Host,
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        if let Some(path) = text.strip_prefix("unix:") {
            // gRPC's own naming has unix:///PATH too.
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() { Err(TargetError::Path) } else { Ok(Self::Unix(path.into())) };
        }
        if text.starts_with("http://") {
            return Err(TargetError::Clear);
        }
        let rest = text.strip_prefix("https://").ok_or(TargetError::Scheme)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = rest.rsplit_once(':').ok_or(TargetError::Port)?;
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host = match bracketed {
            Some(host) => host,
            None if host.contains(':') => return Err(TargetError::Host),
            None => host,
        };
        if host.is_empty() || host.contains(['/', '@', '[', ']']) {
            return Err(TargetError::Host);
        }
        let port = port.parse().ok().filter(|port| *port != 0).ok_or(TargetError::Port)?;
        Ok(Self::Tls { host: host.to_owned(), port })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => path.display().fmt(formatter),
            Self::Tls { host, port } if host.contains(':') => write!(formatter, "[{host}]:{port}"),
            Self::Tls { host, port } => write!(formatter, "{host}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read() {
        let tls = |host: &str, port| Ok(Target::Tls { host: host.into(), port });
        for (text, expected) in [
            ("unix:/run/pinion/api.sock", Ok(Target::Unix("/run/pinion/api.sock".into()))),
            ("unix:///run/pinion/api.sock", Ok(Target::Unix("/run/pinion/api.sock".into()))),
            ("unix:api.sock", Ok(Target::Unix("api.sock".into()))),
            ("https://lb.example.org:7443", tls("lb.example.org", 7443)),
            ("https://192.0.2.1:7443/", tls("192.0.2.1", 7443)),
            ("https://[2001:db8::1]:7443", tls("2001:db8::1", 7443)),
            ("unix:", Err(TargetError::Path)),
            ("", Err(TargetError::Scheme)),
            ("/run/pinion/api.sock", Err(TargetError::Scheme)),
            ("http://192.0.2.1:7443", Err(TargetError::Clear)),
            ("https://192.0.2.1", Err(TargetError::Port)),
            ("https://192.0.2.1:", Err(TargetError::Port)),
            ("https://192.0.2.1:0", Err(TargetError::Port)),
            ("https://192.0.2.1:65536", Err(TargetError::Port)),
            ("https://:7443", Err(TargetError::Host)),
            ("https://2001:db8::1:7443", Err(TargetError::Host)),
            ("https://user@host:7443", Err(TargetError::Host)),
        ] {
            assert_eq!(text.parse::<Target>(), expected, "{text}");
        }
    }

    #[test]
    fn a_target_is_shown_as_people_write_it() {
        for (text, shown) in [
            ("unix:/run/pinion/api.sock", "/run/pinion/api.sock"),
            ("https://lb.example.org:7443", "lb.example.org:7443"),
            ("https://[2001:db8::1]:7443", "[2001:db8::1]:7443"),
        ] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn any_text_is_read_or_refused() {
        bolero::check!().with_type::<String>().for_each(|text| {
            let _ = text.parse::<Target>();
            let _ = format!("https://{text}").parse::<Target>();
        });
    }
}
