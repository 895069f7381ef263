use super::{Format, LoggingError, Options, filter};

/// The part of the command line that is about logging.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
#[group(skip)]
pub struct Args {
    /// How events are written to standard error
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub log_format: Format,
    /// Which events: error, warn, info, debug, trace, or directives such as info,pinion::health=debug [default: info,
    /// or PINION_LOG]
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<String>,
}

impl Args {
    /// Completes them from the environment (`PINION_LOG`, `NO_COLOR`, `OTEL_EXPORTER_OTLP_ENDPOINT`), and by whether
    /// standard error is a terminal.
    ///
    /// # Errors
    /// [`LoggingError::Filter`].
    pub fn options(
        &self,
        environment: impl Fn(&str) -> Option<String>,
        terminal: bool,
    ) -> Result<Options, LoggingError> {
        let given = |name: &str| environment(name).filter(|value| !value.is_empty());
        Ok(Options {
            format: self.log_format,
            filter: filter(self.log_level.as_deref(), given("PINION_LOG").as_deref())?,
            colour: terminal && given("NO_COLOR").is_none(),
            repeats: Options::REPEATS,
            collector: given("OTEL_EXPORTER_OTLP_ENDPOINT"),
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Command {
        #[command(flatten)]
        logging: Args,
    }

    fn options(arguments: &[&str], environment: &[(&str, &str)], terminal: bool) -> Result<Options, LoggingError> {
        let arguments = Command::try_parse_from([&["pinion"], arguments].concat()).unwrap().logging;
        let value =
            |name: &str| environment.iter().find(|(found, _)| *found == name).map(|(_, it)| (*it).to_owned());
        arguments.options(value, terminal)
    }

    #[test]
    fn nothing_said_is_text_from_info_on() {
        let options = options(&[], &[("PINION_LOG", ""), ("NO_COLOR", "")], true).unwrap();
        assert_eq!((options.format, options.filter.to_string().as_str()), (Format::Text, "info"));
        assert!(options.colour && options.collector.is_none());
    }

    #[test]
    fn the_environment_is_asked() {
        let environment =
            [("PINION_LOG", "warn"), ("NO_COLOR", "1"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317")];
        let found = options(&["--log-format", "json"], &environment, true).unwrap();
        assert_eq!((found.format, found.filter.to_string().as_str()), (Format::Json, "warn"));
        assert!(!found.colour && found.collector.as_deref() == Some("http://127.0.0.1:4317"));
        assert_eq!(options(&["--log-level=error"], &environment, false).unwrap().filter.to_string(), "error");
        assert!(options(&["--log-level", "a[b"], &environment, false).is_err());
        assert!(!options(&[], &[], false).unwrap().colour);
    }
}
