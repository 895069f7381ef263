//! Words of a grammar: read in any case and by what examples of the specification call them, shown as the grammar writes them.

/// Makes an enum of words. What is none of them is `Other`, kept as it came.
macro_rules! named {
    ($(#[$meta:meta])* $enum:ident { $($variant:ident $name:literal $(| $alias:literal)*)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $enum<'a> {
            $(
                #[doc = concat!("`", $name, "`.")]
                $variant,
            )*
            /// Any other.
            Other(&'a str),
        }

        impl<'a> From<&'a str> for $enum<'a> {
            fn from(word: &'a str) -> Self {
                match word {
                    $(_ if word.eq_ignore_ascii_case($name) $(|| word.eq_ignore_ascii_case($alias))* => Self::$variant,)*
                    _ => Self::Other(word),
                }
            }
        }

        impl core::fmt::Display for $enum<'_> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(match self {
                    $(Self::$variant => $name,)*
                    Self::Other(word) => word,
                })
            }
        }
    };
}

pub(super) use named;
