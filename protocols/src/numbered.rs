//! Numbers with names, as protocols give them to their messages and elements.

/// Makes an enum of numbers that have names: read from any number and written back as the same, shown by name. What has
/// none is `Other`.
macro_rules! numbered {
    ($(#[$meta:meta])* $enum:ident($int:ty) else $other:literal { $($number:literal $variant:ident $name:literal)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $enum {
            $(
                #[doc = concat!($name, ", ", stringify!($number), ".")]
                $variant,
            )*
            /// Any other.
            Other($int),
        }

        impl From<$int> for $enum {
            fn from(number: $int) -> Self {
                match number {
                    $($number => Self::$variant,)*
                    other => Self::Other(other),
                }
            }
        }

        impl From<$enum> for $int {
            fn from(kind: $enum) -> Self {
                match kind {
                    $($enum::$variant => $number,)*
                    $enum::Other(other) => other,
                }
            }
        }

        impl core::fmt::Display for $enum {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self {
                    $(Self::$variant => f.write_str($name),)*
                    Self::Other(number) => write!(f, concat!($other, " {}"), number),
                }
            }
        }
    };
}

pub(crate) use numbered;

#[cfg(test)]
mod tests {
    numbered! {
        /// For the test.
        Kind(u8) else "kind" { 1 First "the first" 3 Third "the third" }
    }

    #[test]
    fn every_number_comes_back_and_has_a_name() {
        for number in 0..=u8::MAX {
            assert_eq!(u8::from(Kind::from(number)), number);
        }
        assert_eq!(
            std::format!("{}, {}, {}", Kind::from(1), Kind::Third, Kind::from(2)),
            "the first, the third, kind 2"
        );
    }
}
