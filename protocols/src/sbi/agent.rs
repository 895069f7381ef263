//! User-Agent and Server as NFs and SCPs write them (TS 29.500 5.2.2.2).

use core::fmt;

use super::cursor::{Cursor, whole};
use super::{Error, Header, Value};

macro_rules! agent {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name<'a> {
            /// Type of the NF, `SCP` or `SEPP`: what is before the first hyphen.
            pub kind: &'a str,
            /// What is behind that hyphen, such as an NF instance or a name; empty where there is none.
            pub detail: &'a str,
        }

        impl<'a> Value<'a> for $name<'a> {
            const HEADER: Header = Header::$name;

            fn parse(value: &'a [u8]) -> Result<Self, Error> {
                whole(Self::HEADER, value, read).map(|(kind, detail)| Self { kind, detail })
            }
        }

        impl fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.kind)?;
                if self.detail.is_empty() { Ok(()) } else { write!(f, "-{}", self.detail) }
            }
        }
    };
}

agent! {
    /// Who sends a request.
    UserAgent
}

agent! {
    /// Who originated a response.
    Server
}

fn read<'a>(cursor: &mut Cursor<'a>) -> Result<(&'a str, &'a str), Error> {
    let kind = cursor.some("type of an NF", |byte| byte.is_ascii_alphanumeric() || byte == b'_')?;
    let detail = if cursor.eat(b'-') { cursor.run(|_| true) } else { "" };
    Ok((kind, detail.trim_end_matches([' ', '\t'])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_nfs() {
        for (text, kind, detail) in [
            ("AMF", "AMF", ""),
            ("5G_EIR-a", "5G_EIR", "a"),
            (
                "UDM-54804518-4191-46b3-955c-ac631f953ed8 udm1.example",
                "UDM",
                "54804518-4191-46b3-955c-ac631f953ed8 udm1.example",
            ),
            ("SCP-scp1.operator.com", "SCP", "scp1.operator.com"),
        ] {
            assert_eq!(UserAgent::parse(text.as_bytes()), Ok(UserAgent { kind, detail }));
            assert_eq!(Server::parse(text.as_bytes()), Ok(Server { kind, detail }));
        }
        let header = Header::UserAgent;
        assert_eq!(UserAgent::parse(b"curl/8.0"), Err(Error::Trailing { header, offset: 4 }));
        assert_eq!(UserAgent::parse(b""), Err(Error::Expected { header, what: "type of an NF", offset: 0 }));
    }
}
